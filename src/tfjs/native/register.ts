import * as tf from '#tf';
import { variable } from '../../environment.js';
import { NativeBackend } from './backend.js';
import type { KernelCall, NativeKernel } from './kernel.js';
import { runningClock, startKernelProfile, stopKernelProfile } from './kernel-clock.js';
import { optimizerKernels } from './kernels/adam-w.js';
import { batchNormKernels } from './kernels/batch-norm.js';
import { binaryKernels } from './kernels/binary.js';
import { castKernel } from './kernels/cast.js';
import { comparisonKernels } from './kernels/comparison.js';
import { convReluStackKernels } from './kernels/conv-relu-stack.js';
import { convolutionKernels } from './kernels/conv2d.js';
import { depthwiseKernels } from './kernels/depthwise-conv2d.js';
import { matMulKernels } from './kernels/matmul.js';
import { movementKernels } from './kernels/movement.js';
import { pickingKernels } from './kernels/picking.js';
import { poolKernels } from './kernels/pool2d.js';
import { lossKernels } from './kernels/proxy-anchor.js';
import { rankingKernels } from './kernels/ranking.js';
import { reductionKernels } from './kernels/reduce.js';
import { softmaxKernels } from './kernels/softmax.js';
import { tileKernel, tileKernels } from './kernels/tile.js';
import { unaryKernels } from './kernels/unary.js';
import { unitRowsKernels } from './kernels/unit-rows.js';

const nativeKernels: NativeKernel[] = [
  ...matMulKernels,
  ...convolutionKernels,
  ...convReluStackKernels,
  ...batchNormKernels,
  ...unaryKernels,
  ...binaryKernels,
  ...reductionKernels,
  ...poolKernels,
  ...tileKernels,
  ...optimizerKernels,
  ...lossKernels,
  ...unitRowsKernels,
  ...depthwiseKernels,
  ...movementKernels,
  ...comparisonKernels,
  ...pickingKernels,
  ...rankingKernels,
  ...softmaxKernels,
];

/** Kernels of the cpu backend that never put an input's array under a second tensor. */
const keepNoInput = new Set(['Identity', 'Reshape', 'ExpandDims', 'Cast', 'ZerosLike', 'OnesLike']);

/** Registers the backend 'native': tfjs's cpu backend, its hot kernels replaced by the addon's. Twice is once. */
export function registerNativeBackend(): void {
  if (tf.findBackendFactory('native')) return;
  const fallbacks = new Map<string, tf.KernelFunc>();
  for (const { kernelName, kernelFunc, ...rest } of tf.getKernelsForBackend('cpu')) {
    const shared = keepNoInput.has(kernelName) ? kernelFunc : exposingInputs(kernelFunc);
    fallbacks.set(kernelName, timed({ kernelName, path: 'inherited' }, shared));
    tf.registerKernel({ ...rest, kernelName, kernelFunc: fallbacks.get(kernelName)!, backendName: 'native' });
  }
  for (const kernel of nativeKernels) {
    const { kernelName } = kernel;
    replace(kernelName, withFallback(kernel, fallbacks.get(kernelName)));
  }
  replace('Cast', castKernel(fallbacks.get('Cast')!));
  replace('Tile', tileKernel(tf.getKernel('Tile', 'native').kernelFunc));
  const names = ['Cast', ...nativeKernels.map(({ kernelName }) => kernelName)];
  tf.registerBackend('native', () => new NativeBackend(names));
  if (variable('EAT_DML_DEBUG') === 'inherited') reportAtExit();
}

/** Which kernels of the backend `native` the addon computes, and which are those of tfjs's cpu backend. */
export function coverage(): { native: string[]; inherited: string[] } {
  registerNativeBackend();
  return (tf.findBackend('native') as NativeBackend).coverage();
}

function replace(kernelName: string, kernelFunc: tf.KernelFunc): void {
  if (tf.getKernel(kernelName, 'native')) tf.unregisterKernel(kernelName, 'native');
  tf.registerKernel({ kernelName, backendName: 'native', kernelFunc });
}

/** EAT_DML_DEBUG=inherited: which kernel of the cpu backend took the most time, on stderr when the process ends. */
function reportAtExit(): void {
  startKernelProfile();
  process.on('exit', () => {
    const slowest = stopKernelProfile()?.slowestInherited;
    const text = slowest
      ? `${slowest.kernel}, ${slowest.milliseconds.toFixed(1)} ms in ${slowest.calls} calls`
      : 'none ran';
    process.stderr.write(`eat-dml: slowest inherited kernel: ${text}\n`);
  });
}

function timed(
  { kernelName, path }: { kernelName: string; path: 'native' | 'inherited' },
  kernelFunc: tf.KernelFunc,
  flops?: (args: KernelCall) => number,
): tf.KernelFunc {
  return (args) => {
    const clock = runningClock();
    if (!clock) return kernelFunc(args);
    const call = { kernel: kernelName, path, flops: flops?.(args as unknown as KernelCall) ?? 0 };
    return clock.measure(call, Object.values(args.inputs).flat(), () => kernelFunc(args));
  };
}

function withFallback(kernel: NativeKernel, fallback: tf.KernelFunc | undefined): tf.KernelFunc {
  const { kernelName, flops } = kernel;
  const native = timed({ kernelName, path: 'native' }, (args) => kernel.run(args as unknown as KernelCall), flops);
  return (args) => {
    const call = args as unknown as KernelCall;
    if (!fallback || (usual(call, kernel.dtypes) && kernel.accepts?.(call) !== false)) return native(args);
    return fallback(args);
  };
}

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** Only the dtypes that the kernel reads, and nothing empty. The cpu backend's kernels can leave other arrays under a dtype. */
function usual({ inputs, backend }: KernelCall, dtypes: NativeKernel['dtypes']): boolean {
  for (const name in inputs) {
    const info = inputs[name] as tf.TensorInfo | undefined;
    if (!info) continue;
    const dtype = dtypes?.[name] ?? 'float32';
    if (info.dtype !== dtype || info.shape.includes(0)) return false;
    if (!(backend.data.get(info.dataId).values instanceof arrayOf[dtype])) return false;
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
