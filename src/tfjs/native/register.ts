import * as tf from '@tensorflow/tfjs';
import { NativeBackend } from './backend.js';
import { batchNormKernels } from './batch-norm.js';
import { binaryKernels } from './binary.js';
import { castKernel } from './cast.js';
import { convolutionKernels } from './conv2d.js';
import type { KernelCall, NativeKernel } from './kernel.js';
import { matMulKernels } from './matmul.js';
import { poolKernels } from './pool2d.js';
import { reductionKernels } from './reduce.js';
import { tileKernels } from './tile.js';
import { unaryKernels } from './unary.js';

const nativeKernels: NativeKernel[] = [
  ...matMulKernels,
  ...convolutionKernels,
  ...batchNormKernels,
  ...unaryKernels,
  ...binaryKernels,
  ...reductionKernels,
  ...poolKernels,
  ...tileKernels,
];

/** Kernels of the cpu backend that never put an input's array under a second tensor. */
const keepNoInput = new Set(['Identity', 'Reshape', 'ExpandDims', 'Cast', 'ZerosLike', 'OnesLike']);

/** Registers the backend 'native': tfjs's cpu backend, its hot kernels replaced by the addon's. Twice is once. */
export function registerNativeBackend(): void {
  if (tf.findBackendFactory('native')) return;
  const fallbacks = new Map<string, tf.KernelFunc>();
  for (const { kernelName, kernelFunc, ...rest } of tf.getKernelsForBackend('cpu')) {
    const shared = keepNoInput.has(kernelName) ? kernelFunc : exposingInputs(kernelFunc);
    fallbacks.set(kernelName, shared);
    tf.registerKernel({ ...rest, kernelName, kernelFunc: shared, backendName: 'native' });
  }
  for (const kernel of nativeKernels) {
    const { kernelName } = kernel;
    const fallback = fallbacks.get(kernelName);
    if (fallback) tf.unregisterKernel(kernelName, 'native');
    tf.registerKernel({ kernelName, backendName: 'native', kernelFunc: withFallback(kernel, fallback) });
  }
  tf.unregisterKernel('Cast', 'native');
  tf.registerKernel({ kernelName: 'Cast', backendName: 'native', kernelFunc: castKernel(fallbacks.get('Cast')!) });
  tf.registerBackend('native', () => new NativeBackend());
}

function withFallback(kernel: NativeKernel, fallback: tf.KernelFunc | undefined): tf.KernelFunc {
  return (args) => {
    const call = args as unknown as KernelCall;
    if (!fallback || (usual(call) && kernel.accepts?.(call) !== false)) return kernel.run(call);
    return fallback(args);
  };
}

/** Only float32, and nothing empty. The cpu backend's kernels can leave other arrays under that dtype. */
function usual({ inputs, backend }: KernelCall): boolean {
  for (const name in inputs) {
    const info = inputs[name] as tf.TensorInfo | undefined;
    if (!info) continue;
    if (info.dtype !== 'float32' || info.shape.includes(0)) return false;
    if (!(backend.floats(info) instanceof Float32Array)) return false;
  }
  return true;
}

/** A kernel of the cpu backend may hand out its input's array again (Slice does), so that must not be recycled. */
function exposingInputs(kernelFunc: tf.KernelFunc): tf.KernelFunc {
  return (args) => {
    const backend = args.backend as NativeBackend;
    for (const info of Object.values(args.inputs).flat()) if (info) backend.expose(info.dataId);
    return kernelFunc(args);
  };
}
