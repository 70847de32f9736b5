import type * as tf from '#tf';
import type { NativeBackend } from './backend.js';

/** The arguments of one kernel call; `A` are the attributes. */
export interface KernelCall<A = unknown> {
  inputs: Record<string, tf.TensorInfo>;
  attrs: A;
  backend: NativeBackend;
}

/** A kernel that the addon computes. */
// biome-ignore lint/suspicious/noExplicitAny: a list of kernels mixes attribute types.
export interface NativeKernel<A = any> {
  kernelName: string;
  /** Of the inputs that are not float32, by name. */
  dtypes?: Record<string, 'int32' | 'bool'>;
  /** False sends the call to the cpu backend's kernel. Asked only where every input has its dtype and none is empty. */
  accepts?(call: KernelCall<A>): boolean;
  /** Floating-point operations of a product, for profiles. */
  flops?(call: KernelCall<A>): number;
  run(call: KernelCall<A>): tf.TensorInfo | tf.TensorInfo[];
}
