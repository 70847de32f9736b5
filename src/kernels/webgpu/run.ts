/**
 * One call on the device: its buffers, which are freed when it ends, dispatches, and what is read back. What WebGPU reports (validation,
 * memory, a lost device) is thrown when values are read.
 */
import { aborted, EatDmlError } from '../../errors.js';
import type { WebgpuDevice } from './device.js';
import { keepStaging, takeStaging } from './kept-buffers.js';
import type { GpuBuffer, GpuDevice, GpuEncoder, GpuError, GpuPass, GpuPipeline } from './types.js';

/** What a call may use of the device; tests lower it. */
export interface GpuLimits {
  /** Bytes of one storage binding, and of a buffer. */
  binding: number;
  /** Workgroups in each dimension of a dispatch. */
  workgroups: number;
  /** Bytes of workgroup memory. */
  shared: number;
  invocations: number;
  /** Multiply-adds of one submission: what an abort waits for, and what no watchdog of a driver ends. */
  operations: number;
  /** Whether programs hand values through subgroups. */
  subgroups: boolean;
}

export interface Dispatch {
  pipeline: GpuPipeline;
  /** Binding 0: a uniform block of these words (f32 by `floatBits`); bindings 1 and up: the buffers. */
  words: number[];
  buffers: GpuBuffer[];
  groups: [x: number, y?: number, z?: number];
}

type Readable = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Bytes of a uniform block: the alignment that every device takes. */
const BLOCK = 256;
const pipelines = new WeakMap<GpuDevice, Map<string, Promise<GpuPipeline>>>();
const word = new DataView(new ArrayBuffer(4));

/** The bits of a float32, for `words`. */
export function floatBits(x: number): number {
  word.setFloat32(0, x);
  return word.getUint32(0);
}

/** What the device allows, on hardware or in software. */
export function gpuLimits({ device, subgroups }: WebgpuDevice, software: boolean): GpuLimits {
  const { limits } = device;
  return {
    // Copies need sizes of whole words.
    binding: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, 2 ** 31 - 4) & ~15,
    workgroups: limits.maxComputeWorkgroupsPerDimension,
    shared: limits.maxComputeWorkgroupStorageSize,
    invocations: limits.maxComputeInvocationsPerWorkgroup,
    operations: software ? 2 ** 27 : 2 ** 36,
    subgroups,
  };
}

export interface PassClock {
  /** The descriptor of a pass. */
  begin(device: GpuDevice): object;
  end(device: GpuDevice, encoder: GpuEncoder): void;
}

export class Gpu {
  readonly limits: GpuLimits;
  readonly #opened: WebgpuDevice;
  readonly #signal?: AbortSignal;
  readonly #buffers = new Set<GpuBuffer>();
  #errors: Promise<GpuError | null>[] = [];
  /** Where every pass writes its times; see bench/webgpu.ts. */
  static clock?: PassClock;

  constructor(opened: WebgpuDevice, limits: GpuLimits, signal?: AbortSignal) {
    this.#opened = opened;
    this.limits = limits;
    this.#signal = signal;
  }

  get device(): GpuDevice {
    return this.#opened.device;
  }

  /** Throws where the caller has aborted the call. */
  check(): void {
    if (this.#signal?.aborted) throw aborted(this.#signal);
  }

  /** A storage buffer of zeros, or of these values. */
  buffer(of: number | Readable): GpuBuffer {
    const { device, globals } = this.#opened;
    const { STORAGE, COPY_SRC, COPY_DST } = globals.GPUBufferUsage;
    const bytes = typeof of === 'number' ? of : of.byteLength;
    // An empty binding is none.
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    this.#refuse(size, Math.max(16, this.limits.binding), 'bytes in a buffer');
    return this.#watched(() => {
      const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
      this.#buffers.add(buffer);
      if (typeof of !== 'number') device.queue.writeBuffer(buffer, 0, of);
      return buffer;
    });
  }

  write(to: GpuBuffer, values: Readable, offset = 0): void {
    this.#watched(() => this.#opened.device.queue.writeBuffer(to, offset, values));
  }

  /** Frees those of the call's own. */
  free(...buffers: GpuBuffer[]): void {
    for (const buffer of buffers) if (this.#buffers.delete(buffer)) buffer.destroy();
  }

  /** They stay beyond the end of the call; who asks for it frees them. */
  keep(...buffers: GpuBuffer[]): void {
    for (const buffer of buffers) this.#buffers.delete(buffer);
  }

  /** The pipeline of a program whose entry is `main`; compiled once per device. */
  pipeline(code: string): Promise<GpuPipeline> {
    const { device } = this.#opened;
    const known = pipelines.get(device) ?? new Map<string, Promise<GpuPipeline>>();
    pipelines.set(device, known);
    let pipeline = known.get(code);
    if (!pipeline) {
      pipeline = this.#watched(() => {
        const module = device.createShaderModule({ code });
        return device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
      }).catch(async (cause) => {
        known.delete(code);
        // What the compiler found comes first.
        const [first] = (await Promise.all(this.#errors.splice(0))).filter((error) => error !== null);
        throw await this.#deviceError(first ?? cause);
      });
      known.set(code, pipeline);
    }
    return pipeline;
  }

  /** Submits the dispatches, one after the other: each sees what those before it have written. */
  run(dispatches: Dispatch[]): void {
    this.check();
    const { device, globals } = this.#opened;
    const { UNIFORM, COPY_DST } = globals.GPUBufferUsage;
    const blocks = new Uint32Array((dispatches.length * BLOCK) / 4);
    for (const [i, { words }] of dispatches.entries()) blocks.set(words, (i * BLOCK) / 4);
    this.#watched(() => {
      const uniforms = device.createBuffer({ size: blocks.byteLength, usage: UNIFORM | COPY_DST });
      device.queue.writeBuffer(uniforms, 0, blocks);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass(Gpu.clock?.begin(device));
      for (const [i, dispatch] of dispatches.entries()) this.#encode(pass, dispatch, uniforms, i * BLOCK);
      pass.end();
      Gpu.clock?.end(device, encoder);
      device.queue.submit([encoder.finish()]);
      uniforms.destroy();
    });
  }

  /** What was not cut small enough is refused here, and never half done. */
  #refuse(received: number, most: number, what: string): void {
    if (received <= most) return;
    throw new EatDmlError('ERR_DEVICE', `Expected at most ${most} ${what} of webgpu but the call takes ${received}.`);
  }

  #encode(pass: GpuPass, { pipeline, words, buffers, groups }: Dispatch, uniforms: GpuBuffer, offset: number): void {
    const size = Math.ceil(words.length / 4) * 16;
    for (const count of groups) this.#refuse(count ?? 1, this.limits.workgroups, 'workgroups in a row');
    const bound = [{ buffer: uniforms, offset, size }, ...buffers.map((buffer) => ({ buffer }))];
    const entries = bound.map((resource, binding) => ({ binding, resource }));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#opened.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...groups);
  }

  /** Waits for the device, and fills each array with what its buffer holds from its beginning (or from `offset` bytes) on. */
  async read(...wanted: [from: GpuBuffer, to: Readable, offset?: number][]): Promise<void> {
    const { device, globals } = this.#opened;
    const { MAP_READ, COPY_DST } = globals.GPUBufferUsage;
    const size = wanted.reduce((sum, [, to]) => sum + to.byteLength, 0);
    const staging = this.#watched(() => {
      const buffer = takeStaging(device, size) ?? device.createBuffer({ size, usage: MAP_READ | COPY_DST });
      const encoder = device.createCommandEncoder();
      let at = 0;
      for (const [from, to, offset = 0] of wanted) {
        encoder.copyBufferToBuffer(from, offset, buffer, at, to.byteLength);
        at += to.byteLength;
      }
      device.queue.submit([encoder.finish()]);
      return buffer;
    });
    try {
      const mapped = staging.mapAsync(globals.GPUMapMode.READ, 0, size);
      // Why it was refused is among the errors; they come first.
      mapped.catch(() => {});
      await this.#throwErrors();
      await mapped;
      const bytes = staging.getMappedRange(0, size);
      let at = 0;
      for (const [, to] of wanted) {
        new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(new Uint8Array(bytes, at, to.byteLength));
        at += to.byteLength;
      }
      staging.unmap();
      keepStaging(device, staging);
    } catch (error) {
      staging.destroy();
      throw await this.#deviceError(error);
    }
    this.check();
  }

  /** Frees what the call has made. */
  end(): void {
    this.free(...this.#buffers);
    // Errors of a call that has failed already.
    for (const error of this.#errors) error.catch(() => {});
    this.#errors = [];
  }

  /** Does it at once, and remembers what WebGPU finds wrong with it. */
  #watched<T>(act: () => T): T {
    const { device } = this.#opened;
    for (const kind of ['validation', 'internal', 'out-of-memory'] as const) device.pushErrorScope(kind);
    try {
      return act();
    } finally {
      for (let i = 0; i < 3; i++) this.#errors.push(device.popErrorScope());
    }
  }

  async #throwErrors(): Promise<void> {
    const errors = await Promise.all(this.#errors.splice(0));
    const first = errors.find((error) => error !== null);
    if (first) throw first;
  }

  async #deviceError(error: unknown): Promise<unknown> {
    if (error instanceof EatDmlError) return error;
    const { device, globals } = this.#opened;
    const lost = await Promise.race([device.lost, Promise.resolve(undefined)]);
    const why = String((error as Error).message ?? error).split('\n')[0];
    if (lost)
      return new EatDmlError('ERR_DEVICE', `The device of webgpu was lost: ${lost.message || why}`, { cause: error });
    const memory = globals.GPUOutOfMemoryError as (new (message: string) => object) | undefined;
    if (memory && error instanceof memory)
      return new EatDmlError('ERR_DEVICE', `Not enough memory on device webgpu: ${why}`, { cause: error });
    return new EatDmlError('ERR_DEVICE', `Device webgpu refuses the call: ${why}`, { cause: error });
  }
}
