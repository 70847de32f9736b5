import * as tf from '#tf';

/** Time that the calls of one kernel took, kernels that it called itself not counted. */
export interface KernelTime {
  kernel: string;
  /** `native`: computed by the addon; `inherited`: by tfjs's cpu backend. */
  path: 'native' | 'inherited';
  calls: number;
  milliseconds: number;
  /** Floating-point operations of products; 0 for every other kernel. */
  flops: number;
}

/** The same of the calls whose tensors had these shapes: in a network, those of one layer, or of layers that are alike. */
export interface LayerTime extends KernelTime {
  /** `8x56x56x64, 3x3x64x64 -> 8x56x56x64`. */
  shapes: string;
  /** Bytes of the tensors that it reads and makes, each once. */
  bytes: number;
}

export interface KernelProfile {
  /** From start to stop, what is not in a kernel included. */
  milliseconds: number;
  /** The longest first. */
  kernels: KernelTime[];
  /** The same time by kernel and shapes, the longest first. */
  layers: LayerTime[];
  /** The inherited kernel that took the most time, if any ran. */
  slowestInherited?: KernelTime;
}

type Call = Pick<KernelTime, 'kernel' | 'path'> & { flops: number };

type Tensors = (tf.TensorInfo | undefined)[];

/** What one profile gathers. */
class KernelClock {
  private readonly start = performance.now();
  private readonly layers = new Map<string, LayerTime>();
  private inCalled = 0;

  measure<T extends tf.TensorInfo | tf.TensorInfo[]>(call: Call, inputs: Tensors, run: () => T): T {
    const outer = this.inCalled;
    this.inCalled = 0;
    const start = performance.now();
    let outputs: Tensors = [];
    try {
      const made = run();
      outputs = [made].flat();
      return made;
    } finally {
      const elapsed = performance.now() - start;
      const layer = this.layerOf(call, inputs, outputs);
      layer.calls++;
      layer.milliseconds += elapsed - this.inCalled;
      layer.flops += call.flops;
      layer.bytes += bytesOf(inputs) + bytesOf(outputs);
      this.inCalled = outer + elapsed;
    }
  }

  private layerOf({ kernel, path }: Call, inputs: Tensors, outputs: Tensors): LayerTime {
    const shapes = `${shapesOf(inputs)} -> ${shapesOf(outputs)}`;
    const key = `${path} ${kernel} ${shapes}`;
    const layer = this.layers.get(key) ?? { kernel, path, shapes, calls: 0, milliseconds: 0, flops: 0, bytes: 0 };
    this.layers.set(key, layer);
    return layer;
  }

  profile(): KernelProfile {
    const layers = longestFirst([...this.layers.values()]);
    const kernels = longestFirst(kernelsOf(layers));
    const slowestInherited = kernels.find(({ path }) => path === 'inherited');
    return { milliseconds: performance.now() - this.start, kernels, layers, slowestInherited };
  }
}

function kernelsOf(layers: LayerTime[]): KernelTime[] {
  const kernels = new Map<string, KernelTime>();
  for (const { kernel, path, calls, milliseconds, flops } of layers) {
    const key = `${path} ${kernel}`;
    const time = kernels.get(key) ?? { kernel, path, calls: 0, milliseconds: 0, flops: 0 };
    time.calls += calls;
    time.milliseconds += milliseconds;
    time.flops += flops;
    kernels.set(key, time);
  }
  return [...kernels.values()];
}

function longestFirst<T extends KernelTime>(times: T[]): T[] {
  return times.sort((a, b) => b.milliseconds - a.milliseconds);
}

function shapesOf(tensors: Tensors): string {
  return tensors.map((tensor) => (tensor ? tensor.shape.join('x') || '1' : 'none')).join(', ');
}

function bytesOf(tensors: Tensors): number {
  const sized = tensors.filter((tensor) => tensor !== undefined && tensor.dtype !== 'string') as tf.TensorInfo[];
  return sized.reduce((sum, t) => sum + tf.util.sizeFromShape(t.shape) * tf.util.bytesPerElement(t.dtype), 0);
}

let clock: KernelClock | undefined;

/** The clock that runs, if any. */
export function runningClock(): KernelClock | undefined {
  return clock;
}

/** Times every kernel of the backend 'native' from now on; what was timed before is dropped. */
export function startKernelProfile(): void {
  clock = new KernelClock();
}

/** Stops timing, and tells where the time went; undefined where none was started. */
export function stopKernelProfile(): KernelProfile | undefined {
  const profile = clock?.profile();
  clock = undefined;
  return profile;
}
