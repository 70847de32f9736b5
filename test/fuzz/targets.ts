import * as kernels from '../../src/kernels/index.js';
import * as networkKernels from '../../src/kernels/network/index.js';
import { runNative } from '../../src/kernels/network/run-network.js';
import { runOracle } from '../kernels/network/by-device.js';
import { hasCpu } from '../kernels/support.js';
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
  /** Whether its options name a device. */
  anyDevice: boolean;
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

type Functions = Record<string, (...args: unknown[]) => unknown>;
const functions = kernels as unknown as Functions;
const networkFunctions = networkKernels as unknown as Functions;

function networkTarget(name: string, generate: Arguments): Target {
  const run = hasCpu ? runNative : runOracle;
  const sync = (...args: unknown[]) => networkFunctions[name](args[0], run);
  return { name, generate, parameters: PARAMETERS[name] ?? [], anyDevice: false, sync };
}

/** Every function that takes arguments; `devices` takes none. */
export const targets: Target[] = Object.entries({ ...matrices, ...network, ...elements }).map(([name, generate]) => {
  if (name in networkFunctions) return networkTarget(name, generate);
  const both = `${name}Sync` in functions;
  return {
    name,
    generate,
    anyDevice: true,
    parameters: PARAMETERS[name] ?? [],
    sync: functions[both ? `${name}Sync` : name],
    ...(both && { promise: functions[name] as Target['promise'] }),
  };
});
