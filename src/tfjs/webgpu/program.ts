import type * as tf from '#tf';

/** Workgroups of a dispatch along one side that every device has. */
export const MOST_GROUPS = 65535;

/** What tfjs-backend-webgpu compiles and runs; `main` is in WGSL, over `result`, the variables and `uniforms`. */
export interface WebgpuProgram {
  variableNames: string[];
  /** Declarations of the fields after those of the shapes. */
  uniforms?: string;
  outputShape: number[];
  workgroupSize: [number, number, number];
  dispatchLayout: { x: number[]; y?: number[]; z?: number[] };
  dispatch: [number, number, number];
  /** Programs of one key have one source. */
  shaderKey: string;
  getUserCode(): string;
}

export interface Uniform {
  type: 'int32' | 'float32';
  data: number[];
}

/** The backend as kernels see it. */
export interface ProgramBackend {
  runWebGPUProgram(
    program: WebgpuProgram,
    inputs: tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms?: Uniform[],
  ): tf.TensorInfo;
  disposeData(dataId: object): void;
}

/** Fields of `uniforms`, in the order of the record: i32, but f32 where a name ends with F. */
export function fields(values: Record<string, number>): { uniforms: string; data: Uniform[] } {
  const isFloat = (name: string) => name.endsWith('F');
  const entries = Object.entries(values);
  return {
    uniforms: entries.map(([name]) => `${name} : ${isFloat(name) ? 'f32' : 'i32'},`).join(' '),
    data: entries.map(([name, value]) => ({ type: isFloat(name) ? 'float32' : 'int32', data: [value] })),
  };
}
