import * as kernels from '../../src/kernels/index.js';
import * as networkKernels from '../kernels/network/by-device.js';
import { elements } from './valid/elements.js';
import { type Arguments, matrices } from './valid/matrices.js';
import { network } from './valid/network.js';

/** A kernel under its name without Sync, and how to call it; of the network's there is one form, at once. */
export interface Target {
  name: string;
  /** Names of its arguments before the options. */
  parameters: readonly string[];
  generate: Arguments;
  sync(...args: unknown[]): unknown;
  /** Absent where there is no Promise form. */
  promise?(...args: unknown[]): Promise<unknown>;
}

const PARAMETERS: Record<string, readonly string[]> = {
  pairwiseDistance: ['a', 'b'],
  nearestCentroid: ['points', 'centroids'],
  nearestNeighbors: ['queries', 'points'],
  centroidMeans: ['points', 'labels'],
  kmeans: ['points'],
  projectPerturbation: ['delta'],
  uploadMatrix: ['matrix'],
  passedLength: ['layers'],
};

const functions = { ...kernels, ...networkKernels } as unknown as Record<string, (...args: unknown[]) => unknown>;

/** Every function that takes arguments; `devices` takes none. */
export const targets: Target[] = Object.entries({ ...matrices, ...network, ...elements }).map(([name, generate]) => {
  const both = `${name}Sync` in functions;
  return {
    name,
    generate,
    parameters: PARAMETERS[name] ?? [],
    sync: functions[both ? `${name}Sync` : name],
    ...(both && { promise: functions[name] as Target['promise'] }),
  };
});
