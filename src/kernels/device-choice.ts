/**
 * Where `auto` runs a call when there is a GPU: the one place that knows what is worth sending there. A kernel bound by memory gains
 * nothing from a GPU that its arrays must first be copied to, and a small call is over before one has begun; a matrix that is on the GPU
 * already (uploadMatrix) need not be copied.
 */
import { batchOf, type Matrix } from './matrix.js';
import { ResidentMatrix } from './resident-matrix.js';

/**
 * Operations and bytes per second, and seconds per round trip of a call. The CPU's are of its kernels on a machine of two threads, per
 * thread; js's are a guess. CUDA's are on the low side of what an H200 gave (bench/results: 22e12 to 123e12 operations, 0.24e12 to
 * 4.3e12 bytes, 8.3e9 to 10e9 over the bus, 0.23 ms for a small call), so that in doubt, and for smaller GPUs, the CPU is taken.
 */
const RATES = {
  cpu: { operationsPerThread: 50e9, bytes: 30e9 },
  js: { operations: 0.5e9, bytes: 2e9 },
  cuda: { operations: 10e12, bytes: 0.5e12, busBytes: 9e9, roundTrip: 250e-6 },
  // Likewise, of whole calls on an H200 (bench-webgpu.json): 0.17e12 to 1.8e12 operations, 0.2e9 to 1.3e9 bytes from and to the host, which
  // scans, copies and settles beside it.
  webgpu: { operations: 0.2e12, bytes: 5e9, busBytes: 0.2e9, roundTrip: 10e-3 },
};

/** A device that arrays must be sent to. */
export type GpuName = 'cuda' | 'webgpu';

/** Iterations that k-means is expected to take where it may take more. */
const EXPECTED_ITERATIONS = 10;

/** What a call does: operations, bytes of all its arrays, those of them that a GPU must be sent or send back, round trips to it. */
export interface Work {
  operations: number;
  bytes: number;
  crossing: number;
  roundTrips: number;
}

interface Operands {
  [name: string]: unknown;
}

const size = (m: unknown) => batchOf(m as Matrix) * (m as Matrix).rows * (m as Matrix).cols;
const rows = (m: unknown) => (m as Matrix).rows;
/** Iterations of all starts of one matrix. */
const iterations = ({ maxIterations, starts }: Operands) =>
  Math.min(maxIterations as number, EXPECTED_ITERATIONS) * (starts as number);

/** Operations of the kernels that a GPU has; of those bound by memory a few per value. */
const OPERATIONS: Record<string, (args: Operands) => number> = {
  pairwiseDistance: ({ a, b }) => 2 * size(a) * rows(b),
  nearestCentroid: ({ points, centroids }) => 2 * size(points) * rows(centroids),
  nearestNeighbors: ({ queries, points }) => 2 * size(queries) * rows(points),
  kmeans: (args) => 2 * size(args.points) * (args.k as number) * iterations(args),
  kmeansPlusPlus: ({ points, k, trials }) => 2 * size(points) * (k as number) * (trials as number),
  centroidMeans: ({ points }) => size(points),
  attackStep: ({ origin }) => 8 * size(origin),
  projectPerturbation: ({ delta }) => 8 * size(delta),
};

/** Of calls that do not launch their kernels once: k-means waits at each iteration, its start launches a few kernels per centroid. */
const ROUND_TRIPS: Record<string, (args: Operands) => number> = {
  kmeans: (args) => iterations(args) * batchOf(args.points as Matrix),
  kmeansPlusPlus: ({ k }) => 1 + (k as number) / 8,
};

/** The work of a call by the arguments that the addons get, for this GPU; undefined for a kernel that no GPU has. */
export function workOf(kernel: string, args: object, gpu: GpuName = 'cuda'): Work | undefined {
  const operands = args as Operands;
  const operations = OPERATIONS[kernel]?.(operands);
  if (operations === undefined) return undefined;
  let [bytes, crossing] = [0, 0];
  for (const value of Object.values(operands)) {
    const of = bytesOf(value);
    bytes += of;
    if (!(ResidentMatrix.is(value) && value.device === gpu)) crossing += of;
  }
  return { operations, bytes, crossing, roundTrips: ROUND_TRIPS[kernel]?.(operands) ?? 1 };
}

function bytesOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  const matrix = typeof value === 'object' && value !== null && 'rows' in value && 'cols' in value;
  return matrix ? Float32Array.BYTES_PER_ELEMENT * size(value) : 0;
}

/** Whether the GPU is expected to end first. `threads` of the CPU's addon; 0 where there is none, and js is what is left. */
export function belongsOnGpu(
  { operations, bytes, crossing, roundTrips }: Work,
  threads: number,
  name: GpuName = 'cuda',
): boolean {
  const { cpu, js, [name]: gpu } = RATES;
  const onHost =
    threads > 0
      ? Math.max(operations / (threads * cpu.operationsPerThread), bytes / cpu.bytes)
      : Math.max(operations / js.operations, bytes / js.bytes);
  const onGpu =
    roundTrips * gpu.roundTrip + crossing / gpu.busBytes + Math.max(operations / gpu.operations, bytes / gpu.bytes);
  return onGpu < onHost;
}
