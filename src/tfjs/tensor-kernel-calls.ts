/** How a kernel reached a tensor's values. */
export type TensorPath =
  /** Inside TensorFlow, on its memory in the host. */
  | 'custom op'
  /** Inside TensorFlow, on its memory on the GPU. */
  | 'custom op, GPU'
  /** In place, in the memory of the backend `native`. */
  | 'in place'
  /** By tfjs's own operations, on a device whose memory the kernels do not reach. */
  | 'operations'
  /** Over copies in typed arrays. */
  | 'copies';

/** One kernel on tensors by one path: how often it ran, and how long. */
export interface TensorKernelCalls {
  kernel: string;
  path: TensorPath;
  calls: number;
  seconds: number;
  /** Copied between the backend and typed arrays. */
  bytesCopied: number;
}

const calls = new Map<string, TensorKernelCalls>();

/** What kernels on tensors (attack steps, projections, distances) ran since the last reset, and on which path. */
export function tensorKernelCalls(): TensorKernelCalls[] {
  return [...calls.values()].map((entry) => ({ ...entry }));
}

/** Sets all counts of {@link tensorKernelCalls} to 0. */
export function resetTensorKernelCalls(): void {
  calls.clear();
}

/** Runs `work`, one call of `kernel`, and counts it. */
export function counted<T>(kernel: string, path: TensorPath, bytesCopied: number, work: () => T): T {
  const start = performance.now();
  const result = work();
  const key = `${kernel} ${path}`;
  const entry = calls.get(key) ?? { kernel, path, calls: 0, seconds: 0, bytesCopied: 0 };
  entry.calls++;
  entry.seconds += (performance.now() - start) / 1000;
  entry.bytesCopied += bytesCopied;
  calls.set(key, entry);
  return result;
}
