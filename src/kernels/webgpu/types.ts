/**
 * What is used of WebGPU, and no more: the package `webgpu` is an optional peer, so its types may be missing where this is compiled.
 */

export interface GpuError {
  readonly message: string;
}

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number, offset?: number, size?: number): Promise<void>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

export type GpuPipeline = { getBindGroupLayout(index: number): object };

export interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: object): void;
  dispatchWorkgroups(x: number, y?: number, z?: number): void;
  end(): void;
}

export interface GpuQuerySet {
  destroy(): void;
}

export interface GpuEncoder {
  beginComputePass(descriptor?: object): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void;
  resolveQuerySet(set: GpuQuerySet, first: number, count: number, to: GpuBuffer, offset: number): void;
  finish(): object;
}

export interface GpuQueue {
  submit(commands: object[]): void;
  writeBuffer(to: GpuBuffer, offset: number, data: ArrayBufferView, first?: number, size?: number): void;
}

export interface GpuDevice {
  readonly limits: Record<string, number>;
  readonly features: ReadonlySet<string>;
  readonly queue: GpuQueue;
  readonly lost: Promise<{ reason: string; message: string }>;
  addEventListener(
    type: 'uncapturederror',
    listener: (event: { error: GpuError; preventDefault(): void }) => void,
  ): void;
  createBuffer(descriptor: { size: number; usage: number; label?: string; mappedAtCreation?: boolean }): GpuBuffer;
  createShaderModule(descriptor: { code: string; label?: string }): object;
  createComputePipelineAsync(descriptor: object): Promise<GpuPipeline>;
  createBindGroup(descriptor: object): object;
  createCommandEncoder(): GpuEncoder;
  createQuerySet(descriptor: { type: string; count: number }): GpuQuerySet;
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): void;
  popErrorScope(): Promise<GpuError | null>;
  destroy(): void;
}

export interface GpuAdapter {
  readonly info: {
    vendor: string;
    architecture: string;
    device: string;
    description: string;
    subgroupMaxSize?: number;
  };
  readonly limits: Record<string, number>;
  readonly features: ReadonlySet<string>;
  requestDevice(descriptor?: object): Promise<GpuDevice>;
}

export interface Gpu {
  readonly wgslLanguageFeatures?: ReadonlySet<string>;
  requestAdapter(options?: object): Promise<GpuAdapter | null>;
}

/** What the package `webgpu` exports. `globals` has GPUBufferUsage, GPUMapMode and the classes; nothing of it is made global here. */
export interface WebgpuPackage {
  create(options: string[]): Gpu;
  globals: WebgpuGlobals;
}

export interface WebgpuGlobals {
  GPUBufferUsage: Record<'STORAGE' | 'UNIFORM' | 'COPY_SRC' | 'COPY_DST' | 'MAP_READ' | 'QUERY_RESOLVE', number>;
  GPUMapMode: Record<'READ' | 'WRITE', number>;
  [name: string]: unknown;
}
