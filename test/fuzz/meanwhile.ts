import { MessageChannel } from 'node:worker_threads';
import { ResidentMatrix } from '../../src/kernels/resident-matrix.js';
import type { Draw } from './draw.js';
import { detach } from './mutations/objects.js';
import { arraysOf, contentOf, isOutput, isTyped, type Slot, slotsOf, type TypedArray } from './slots.js';

/** `arrays`: those that may be changed without changing a result. */
type Change = (arrays: TypedArray[], args: unknown[], draw: Draw) => void;

/** The buffers that the call's results go to. */
export function resultBuffers(args: unknown[]): ArrayBufferLike[] {
  const isResult = (slot: Slot) => (isOutput(slot) || slot.key === 'passed') && isTyped(contentOf(slot));
  const results = slotsOf(args).filter(isResult);
  return results.map((slot) => (contentOf(slot) as TypedArray).buffer as ArrayBufferLike);
}

const isShared = (buffer: ArrayBufferLike) => !(buffer instanceof ArrayBuffer);

interface Resizable {
  resizable?: boolean;
  growable?: boolean;
  maxByteLength: number;
  resize(bytes: number): void;
  grow(bytes: number): void;
}

function resized(buffer: Resizable, draw: Draw): void {
  if (buffer.resizable) buffer.resize(draw.pick([0, 4, buffer.maxByteLength]));
  else if (buffer.growable) buffer.grow(buffer.maxByteLength);
}

function posted(array: TypedArray): void {
  const { port1, port2 } = new MessageChannel();
  if (array.buffer instanceof ArrayBuffer && array.buffer.byteLength > 0) port1.postMessage(array, [array.buffer]);
  port1.close();
  port2.close();
}

/** What may be done to the arguments of a Promise call once it has returned; it must not matter. */
const CHANGES: Record<string, Change> = {
  overwritten: (arrays, _, draw) => {
    const filler = draw.pick([Number.NaN, 2 ** 31 - 1, -1]);
    for (const array of arrays) array.fill(filler);
  },
  detached: (arrays) => arrays.forEach(detach),
  'one of them detached': (arrays, _, draw) => {
    if (arrays.length > 0) detach(draw.pick(arrays));
  },
  posted: (arrays) => arrays.forEach(posted),
  resized: (arrays, _, draw) => {
    for (const { buffer } of arrays) resized(buffer as unknown as Resizable, draw);
  },
  disposed: (_, args) => {
    for (const value of slotsOf(args).map(contentOf)) if (ResidentMatrix.is(value)) value.dispose();
  },
  'told otherwise': (_, args, draw) => {
    for (const slot of slotsOf(args)) {
      const value = contentOf(slot);
      if (typeof value !== 'object') Reflect.set(slot.holder, slot.key, draw.pick([-1, 2 ** 40, null, 'x']));
    }
  },
  emptied: (_, args) => {
    for (const { holder, key } of slotsOf(args)) Reflect.deleteProperty(holder, key);
  },
};

/**
 * Does one of them, at once or a little later, and says what. A result in shared memory is written where it is, and later the call may
 * be over and its results given back: whoever writes to `results` then spoils them.
 */
export function changeMeanwhile(args: unknown[], results: ArrayBufferLike[], draw: Draw): string {
  const name = draw.pick(Object.keys(CHANGES));
  const when = draw.pick(['at once', 'in a microtask', 'in a turn']);
  const left = new Set<unknown>(when === 'at once' ? results.filter(isShared) : results);
  const change = () => {
    const arrays = arraysOf(args).filter(({ buffer }) => !left.has(buffer));
    CHANGES[name](arrays, args, draw);
  };
  if (when === 'at once') change();
  else if (when === 'in a microtask') queueMicrotask(change);
  else setImmediate(change);
  return `arguments are ${name} ${when}`;
}

/** Puts a signal into `options` that is aborted before the call, with it, or while it runs. */
export function abortMeanwhile(options: Record<string, unknown>, draw: Draw): string {
  const controller = new AbortController();
  options.signal = controller.signal;
  const abort = () => controller.abort(draw.pick([undefined, new Error('enough'), 'enough']));
  const when = draw.pick(['before', 'in a microtask', 'in a turn', 'after a while', 'never']);
  if (when === 'before') abort();
  else if (when === 'in a microtask') queueMicrotask(abort);
  else if (when === 'in a turn') setImmediate(abort);
  else if (when === 'after a while') setTimeout(abort, 1);
  return `aborted ${when}`;
}
