import * as tf from '#tf';
import { EatDmlError } from '../../errors.js';
import { type WebgpuDevice, webgpuDevice } from '../../kernels/webgpu/device.js';
import { adamWKernel } from './adam-w.js';
import { batchNormKernels } from './batch-norm.js';
import { convReluKernels } from './conv-relu.js';
import { convolutionGradients } from './conv2d-gradients.js';
import { withGlobals } from './globals.js';
import { proxyAnchorKernel } from './proxy-anchor.js';
import { unitRowsKernels } from './unit-rows.js';

/** What is used of tfjs-backend-webgpu's class. */
export interface WebgpuBackend extends tf.KernelBackend {
  readonly device: WebgpuDevice['device'];
  readonly tensorMap: { get(dataId: object): { values?: tf.TypedArray | null; dtype: tf.DataType } };
  read(dataId: object): Promise<tf.backend_util.BackendValues>;
  readSync(dataId: object): tf.backend_util.BackendValues;
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
}

type BackendClass = new (device: object, info: object) => WebgpuBackend;

/** What went wrong on the device since it was last asked. */
interface Trouble {
  lost?: { reason: string; message: string };
  error?: string;
}

const PACKAGE = '@tensorflow/tfjs-backend-webgpu';

let trouble: Trouble = {};

/**
 * Imports tfjs-backend-webgpu, which registers its kernels, and registers the backend 'webgpu' on this package's device. One that the user's
 * program has registered stays. Throws where the package is not there.
 */
export async function registerWebgpuBackend(): Promise<void> {
  const name = PACKAGE;
  const module = await import(name);
  if (tf.findBackendFactory('webgpu')) return;
  replaceKernels();
  // What is small and not on the device yet, as weights of a file, would be computed in JavaScript: other bits than of weights that are there.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  const Base = (module.WebGPUBackend ?? module.default.WebGPUBackend) as BackendClass;
  tf.registerBackend('webgpu', async () => {
    const opened = await webgpuDevice();
    return withGlobals(opened.globals, () => new (watched(Base, opened))(opened.device, opened.adapter.info));
  });
}

/** What this package has as kernels where a backend can. */
const ownKernels: Record<string, tf.KernelFunc> = {
  ...batchNormKernels,
  ...convReluKernels,
  ...unitRowsKernels,
  AdamW: adamWKernel,
  ProxyAnchor: proxyAnchorKernel,
};

let replaced = false;

function replaceKernels(): void {
  if (replaced) return;
  replaced = true;
  for (const [name, over] of Object.entries(convolutionGradients)) {
    const own = tf.getKernel(name, 'webgpu');
    tf.unregisterKernel(name, 'webgpu');
    tf.registerKernel({ ...own, kernelFunc: over(own.kernelFunc) });
  }
  for (const [kernelName, kernelFunc] of Object.entries(ownKernels)) {
    tf.registerKernel({ kernelName, kernelFunc, backendName: 'webgpu' });
  }
}

/** Sets it, on a new device where the last one was lost. */
export async function startWebgpuBackend(): Promise<boolean> {
  if (trouble.lost) {
    tf.removeBackend('webgpu');
    await registerWebgpuBackend();
  }
  return tf.setBackend('webgpu');
}

/** Reads all variables: another backend fetches them at once when it needs them, which finds what has been read before. */
export async function fetchVariables(): Promise<void> {
  if (trouble.lost) return;
  await Promise.all(Object.values(tf.engine().state.registeredVariables).map((variable) => variable.data()));
}

/** The class with this package's errors: WebGPU reports what goes wrong on a device apart from the call that caused it. */
function watched(Base: BackendClass, { device }: WebgpuDevice): BackendClass {
  const seen: Trouble = {};
  trouble = seen;
  device.lost.then((lost) => {
    seen.lost = lost;
  });
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    seen.error ??= event.error.message;
  });
  return class extends Base {
    /** Integers as they were written, which losses ask again for: classes. tfjs drops what it has sent to the device. */
    private readonly written = new WeakMap<object, tf.backend_util.BackendValues>();

    override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
      const dataId = super.write(values, shape, dtype);
      // Without values it makes room for a result.
      if (dtype === 'int32' && values) this.written.set(dataId, (values as Int32Array).slice());
      return dataId;
    }

    override readSync(dataId: object): tf.backend_util.BackendValues {
      const { values, dtype } = this.tensorMap.get(dataId);
      if (values || dtype === 'string') return super.readSync(dataId);
      const written = this.written.get(dataId);
      if (written) return written;
      throw new EatDmlError('ERR_BACKEND', 'A tensor on the backend webgpu cannot be read at once.', {
        hint: 'Await its data() or array() in place of dataSync() or arraySync().',
      });
    }

    override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
      let values: tf.backend_util.BackendValues | undefined;
      let cause: unknown;
      try {
        values = await super.read(dataId);
      } catch (error) {
        cause = error;
      }
      throwTrouble(seen, cause);
      if (values === undefined) throw cause;
      return values;
    }
  };
}

function throwTrouble(seen: Trouble, cause: unknown): void {
  const { lost, error } = seen;
  if (lost) {
    const why = lost.message.split('\n')[0] || lost.reason;
    throw new EatDmlError('ERR_BACKEND', `The GPU of the backend webgpu was lost: ${why}`, {
      cause,
      hint: 'What a checkpoint holds is kept: start again, and go on with --resume.',
    });
  }
  if (error === undefined) return;
  seen.error = undefined;
  throw new EatDmlError('ERR_BACKEND', `The backend webgpu failed: ${error.split('\n')[0]}`, { cause });
}
