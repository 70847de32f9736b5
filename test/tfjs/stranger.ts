import * as tf from '@tensorflow/tfjs';
import { backendReport } from '../../src/tfjs/index.js';

/** What a backend of tfjs's has that a stranger's takes. */
type Inner = tf.KernelBackend & { numDataIds(): number };

/**
 * A backend that the package does not know, as tfjs's `webgpu` is to it: values come when the event loop has had a turn, and what is not
 * readable throws where it is read at once. It computes as the addon does where there is one, else as `cpu`.
 */
class Stranger extends tf.KernelBackend {
  constructor(
    private readonly inner: Inner,
    private readonly readable: boolean,
  ) {
    super();
  }

  override async read(id: object) {
    const values = (await this.inner.read(id)).slice() as tf.backend_util.BackendValues;
    await new Promise(setImmediate);
    return values;
  }

  override readSync(id: object) {
    if (this.readable) return this.inner.readSync(id);
    throw new Error('this backend cannot be read at once');
  }

  override write = (...args: Parameters<Inner['write']>) => this.inner.write(...args);
  override move = (...args: Parameters<Inner['move']>) => this.inner.move(...args);
  override refCount = (id: object) => this.inner.refCount(id);
  override incRef = (id: object) => this.inner.incRef(id);
  override disposeData = (id: object, force?: boolean) => this.inner.disposeData(id, force);
  override numDataIds = () => this.inner.numDataIds();
  override memory = () => this.inner.memory();
  override floatPrecision = () => 32 as const;
  override epsilon = () => 1e-7;
  override dispose(): void {}
}

const found = (await backendReport()).find(({ name }) => name === 'native');

/** What strangers compute by. */
export const INNER = found?.available ? 'native' : 'cpu';

/** Sets tfjs's backend to a stranger of that kind. */
export async function meet(kind: 'readable' | 'unreadable'): Promise<void> {
  const name = `stranger-${kind}`;
  if (!tf.findBackendFactory(name)) {
    const inner = tf.findBackend(INNER) as Inner;
    for (const kernel of tf.getKernelsForBackend(INNER)) {
      const kernelFunc: tf.KernelFunc = (args) => kernel.kernelFunc({ ...args, backend: inner });
      tf.registerKernel({ ...kernel, backendName: name, kernelFunc });
    }
    tf.registerBackend(name, () => new Stranger(inner, kind === 'readable'));
  }
  await tf.setBackend(name);
}
