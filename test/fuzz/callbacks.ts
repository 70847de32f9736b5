import { kmeans, kmeansSync, pairwiseDistance, uploadMatrix } from '../../src/kernels/index.js';
import { ResidentMatrix } from '../../src/kernels/resident-matrix.js';
import { softmax } from '../kernels/network/by-device.js';
import type { Draw } from './draw.js';
import { CallbackError, type Meaning } from './mutations/mutation.js';
import { detach } from './mutations/objects.js';
import { arraysOf } from './slots.js';

/** What a callback of k-means may do while the call runs. */
interface Deed {
  name: string;
  meaning: Meaning;
  act(args: unknown[], draw: Draw): void;
}

const small = () => ({ data: Float32Array.from({ length: 20 }, (_, i) => Math.sin(i)), rows: 10, cols: 2 });

const DEEDS: readonly Deed[] = [
  {
    name: 'throws',
    meaning: 'any',
    act: () => {
      throw new CallbackError('thrown by a callback');
    },
  },
  { name: 'detaches', meaning: 'same', act: (args) => arraysOf(args).forEach(detach) },
  {
    name: 'overwrites',
    meaning: 'same',
    act: (args) => arraysOf(args).forEach((array) => void array.fill(Number.NaN)),
  },
  {
    name: 'resizes',
    meaning: 'same',
    act: (args) => {
      for (const { buffer } of arraysOf(args)) {
        const memory = buffer as unknown as { resizable?: boolean; resize(bytes: number): void };
        if (memory.resizable) memory.resize(0);
      }
    },
  },
  {
    name: 'calls a kernel',
    meaning: 'same',
    act: () => void softmax({ x: new Float32Array(64), rows: 8, cols: 8 }),
  },
  { name: 'calls k-means', meaning: 'same', act: () => void kmeansSync(small(), { k: 3, onIteration: () => {} }) },
  {
    name: 'begins calls',
    meaning: 'same',
    act: () => {
      kmeans(small(), { k: 3 });
      pairwiseDistance(small(), small());
    },
  },
  {
    name: 'disposes',
    meaning: 'same',
    act: (args) => {
      if (ResidentMatrix.is(args[0])) args[0].dispose();
      uploadMatrix(small()).dispose();
    },
  },
];

/** Puts a callback that does harm into the options of k-means. */
export function harmByCallback(args: unknown[], draw: Draw): { name: string; meaning: Meaning } {
  const { name, meaning, act } = draw.pick(DEEDS);
  let left = draw.integer(3);
  (args[1] as Record<string, unknown>).onIteration = () => {
    if (left-- === 0) act(args, draw);
  };
  return { name: `onIteration: ${name}`, meaning };
}
