import { totalmem } from 'node:os';
import * as tf from '#tf';
import { pixelValues } from '../../kernels/network/index.js';
import { quiet } from '../quiet.js';
import { RecycledArrays } from './recycled-arrays.js';

/** What is used of tfjs's MathBackendCPU. */
interface CpuBackend extends tf.KernelBackend {
  data: tf.DataStorage<{ values: tf.backend_util.BackendValues; dtype: tf.DataType; refCount: number }>;
  makeTensorInfo(shape: number[], dtype: tf.DataType, values?: tf.backend_util.BackendValues): tf.TensorInfo;
}

/** The class of tfjs's own 'cpu' backend, from the copy of tfjs in use. */
const MathBackendCpu = tf.findBackend('cpu').constructor as new () => CpuBackend;

/**
 * Idle arrays kept at most: a quarter of the memory that this process may use. A step whose feature maps do not fit would
 * pay for fresh pages in every kernel.
 */
function keptBytes(): number {
  const limit = process.constrainedMemory?.() || Infinity;
  return Math.min(totalmem(), limit) / 4;
}

/** tfjs's cpu backend with results in arrays that are used again. */
export class NativeBackend extends MathBackendCpu {
  private readonly arrays = new RecycledArrays(Float32Array, keptBytes());
  private readonly words = new RecycledArrays(Int32Array, keptBytes() / 4);
  private readonly flags = new RecycledArrays(Uint8Array, keptBytes() / 4);

  /** `ownKernels`: the names of those that the addon computes. */
  constructor(private readonly ownKernels: readonly string[]) {
    super();
    quiet(this);
  }

  /** Which kernels the addon computes (for float32, and other types where they fit), and which are the cpu backend's. */
  coverage(): { native: string[]; inherited: string[] } {
    const all = tf.getKernelsForBackend('native').map(({ kernelName }) => kernelName);
    const own = new Set(this.ownKernels);
    return { native: all.filter((name) => own.has(name)).sort(), inherited: all.filter((n) => !own.has(n)).sort() };
  }

  /** The values of a float32 tensor, not to be kept beyond the kernel that asks. */
  floats(info: tf.TensorInfo): Float32Array {
    return this.data.get(info.dataId).values as Float32Array;
  }

  /** The values of an int32 tensor. */
  integers(info: tf.TensorInfo): Int32Array {
    return this.data.get(info.dataId).values as Int32Array;
  }

  /** The values of a bool tensor, 0 or 1, not to be kept beyond the kernel that asks. */
  booleans(info: tf.TensorInfo): Uint8Array {
    return this.data.get(info.dataId).values as Uint8Array;
  }

  /** An array of unspecified content for a result. */
  allocate(shape: number[]): Float32Array {
    return this.arrays.take(tf.util.sizeFromShape(shape));
  }

  /** The same for an int32 result. */
  allocateIntegers(shape: number[]): Int32Array {
    return this.words.take(tf.util.sizeFromShape(shape));
  }

  /** The same for a bool result. */
  allocateFlags(shape: number[]): Uint8Array {
    return this.flags.take(tf.util.sizeFromShape(shape));
  }

  output(shape: number[], values: Float32Array): tf.TensorInfo {
    return this.makeTensorInfo(shape, 'float32', values);
  }

  /**
   * Bytes of images as numbers in [0, 1]. Batch after batch in the same memory, where some is left: fresh pages cost more than the images'
   * decoding.
   */
  pixels(bytes: Uint8Array, shape: number[]): tf.TensorInfo {
    return this.output(shape, pixelValues({ bytes, out: this.allocate(shape) }));
  }

  /** Tells that something that is not a kernel of this backend sees the values. */
  expose(dataId: object): void {
    const { values } = this.data.get(dataId);
    this.arrays.expose(values);
    this.words.expose(values);
    this.flags.expose(values);
  }

  /** Values that lie in longer memory are copied: whoever asks for their `buffer` gets no more than they are. */
  override readSync(dataId: object): tf.backend_util.BackendValues {
    const { values } = this.data.get(dataId);
    if (ArrayBuffer.isView(values) && values.byteLength < values.buffer.byteLength)
      return (values as Float32Array).slice();
    this.expose(dataId);
    return super.readSync(dataId);
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const { values } = this.data.get(dataId);
    const gone = super.disposeData(dataId, force);
    if (gone) {
      this.arrays.give(values);
      this.words.give(values);
      this.flags.give(values);
    }
    return gone;
  }
}
