import { createRequire } from 'node:module';
import path from 'node:path';
import * as tf from '#tf';
import { conv2dBackpropFilterOnWasm } from './conv2d-backprop-filter.js';
import { conv2dBackpropInputOnWasm } from './conv2d-backprop-input.js';
import { depthwiseBackpropFilterOnWasm, depthwiseBackpropInputOnWasm } from './depthwise-conv2d-backprop.js';
import { einsumOnWasm } from './einsum.js';
import { unsortedSegmentSumOnWasm } from './unsorted-segment-sum.js';

/** The kernels of a training step that tfjs-backend-wasm 4.22 does not have. */
const missingKernels: Record<string, tf.KernelFunc> = {
  Conv2DBackpropFilter: conv2dBackpropFilterOnWasm,
  DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilterOnWasm,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInputOnWasm,
  Einsum: einsumOnWasm,
  UnsortedSegmentSum: unsortedSegmentSumOnWasm,
};

/** Loads tfjs-backend-wasm with the .wasm files of its own package; registers the kernels it lacks, and a faster one. */
export async function registerWasmBackend(): Promise<void> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  wasm.setWasmPaths(path.join(path.dirname(manifest), 'dist', path.sep));
  if (tf.getKernel('Conv2DBackpropFilter', 'wasm')) return;
  for (const [kernelName, kernelFunc] of Object.entries(missingKernels)) {
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
  const own = tf.getKernel('Conv2DBackpropInput', 'wasm');
  tf.unregisterKernel(own.kernelName, 'wasm');
  tf.registerKernel({ ...own, kernelFunc: conv2dBackpropInputOnWasm(own.kernelFunc) });
}

/**
 * Starts the backend. Its module listens to uncaught exceptions only to throw them again, which prints all of its source;
 * these listeners are taken off.
 */
export async function startWasmBackend(): Promise<boolean> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.rawListeners(event));
  try {
    return await tf.setBackend('wasm');
  } finally {
    events.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (!before[i].includes(listener)) process.removeListener(event, listener as () => void);
      }
    });
  }
}
