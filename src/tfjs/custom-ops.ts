import * as tf from '#tf';
import { EatDmlError } from '../errors.js';
import { type Addon, loadAddon, loadCudaAddon } from '../kernels/load-addon.js';
import { type Matrix, notFinite, outsideBox } from '../kernels/matrix.js';
import type { TensorPath } from './tensor-kernel-calls.js';

/** The part of tfjs-node's backend that custom ops are called by. */
export interface TensorflowBackend extends tf.KernelBackend {
  isUsingGpuDevice: boolean;
  executeMultipleOutputs(name: string, attrs: object[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
  getNumOfTFTensors(): number;
}

interface AddonOps {
  registerTensorflowOps(): string;
  tensorflowDevices(): { name: string; type: string }[];
}

interface AddonDeviceOps {
  registerTensorflowKernels(): string;
}

let failure: string | undefined;
let registered = false;
let path: TensorPath = 'custom op';

/**
 * Registers the addon's kernels as ops with the libtensorflow that tfjs-node has loaded. Returns undefined, or why they are
 * not there (then the kernels run over copies). Call after tfjs-node was imported.
 */
export function registerCustomOps(): string | undefined {
  if (registered) return undefined;
  const addon = loadAddon() as unknown as AddonOps | undefined;
  try {
    if (!addon) throw new Error('the native addon is not built');
    if (!addon.registerTensorflowOps) throw new Error('the native addon is older than this package');
    addon.registerTensorflowOps();
    registered = true;
    failure = undefined;
  } catch (error) {
    failure = (error as Error).message;
  }
  return failure;
}

/**
 * Registers the CUDA addon's kernels for TensorFlow's GPU too; without them TensorFlow copies to the CPU's and back. Returns
 * undefined, or why they are not there. Call after {@link registerCustomOps}.
 */
export function registerDeviceOps(addon: Addon | undefined = loadCudaAddon()): string | undefined {
  const ops = addon as unknown as AddonDeviceOps | undefined;
  try {
    if (!ops) return 'the CUDA addon does not run here';
    if (!ops.registerTensorflowKernels) return 'the CUDA addon is older than this package';
    ops.registerTensorflowKernels();
    path = 'custom op, GPU';
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** How kernels reach the values of the backend that {@link customOpsBackend} returned. */
export function customOpPath(): TensorPath {
  return path;
}

/** The devices of the loaded libtensorflow, "CPU:0"; empty where the addon cannot tell. */
export function tensorflowDevices(): string[] {
  if (!registered) return [];
  const addon = loadAddon() as unknown as AddonOps;
  return addon.tensorflowDevices().map(({ name }) => name.replace(/^.*\/device:/, ''));
}

/** The backend in use, where it is TensorFlow with the custom ops. */
export function customOpsBackend(): TensorflowBackend | undefined {
  return registered && tf.getBackend() === 'tensorflow' ? (tf.backend() as TensorflowBackend) : undefined;
}

/** Doubles as the ops read them: two int32 each. float64 is no type of tfjs, and an attribute would be rounded to float32. */
function settingsTensor(values: readonly number[]): tf.Tensor1D {
  return tf.tensor1d(new Int32Array(Float64Array.from(values).buffer), 'int32');
}

/** Runs op `name` on the inputs' own memory. `names` are the arguments of `inputs`, for errors. Not differentiable. */
export function runCustomOp(
  backend: TensorflowBackend,
  name: string,
  inputs: Record<string, tf.Tensor>,
  settings: readonly number[],
  outputs = 1,
): tf.Tensor[] {
  const tensors = Object.values(inputs);
  const extra = settings.length > 0 ? [settingsTensor(settings)] : [];
  try {
    return backend.executeMultipleOutputs(name, [], [...tensors, ...extra], outputs);
  } catch (error) {
    throw translated(error as Error, inputs);
  } finally {
    tf.dispose(extra);
  }
}

/** The op's failure in this package's words; its text is made in native/tensorflow/ops.cc. */
function translated(error: Error, inputs: Record<string, tf.Tensor>): Error {
  const [, kind, argument, at] = error.message.match(/eat-dml (notFinite|outsideBox) (\w+) (\d+)/) ?? [];
  const row = Number(at);
  if (kind === 'outsideBox') return outsideBox(argument, row);
  if (kind === 'notFinite') {
    const matrix = asMatrix(inputs[argument]);
    const values = matrix.data.subarray(row * matrix.cols, (row + 1) * matrix.cols);
    return notFinite(argument, matrix, row, values.find((value) => !Number.isFinite(value)) ?? Number.NaN);
  }
  return new EatDmlError('ERR_DEVICE', error.message, { cause: error });
}

function asMatrix(t: tf.Tensor): Matrix {
  const rows = t.shape[0];
  return { data: t.dataSync() as Float32Array, rows, cols: t.size / rows };
}
