import type * as tf from '#tf';
import { fields, MOST_GROUPS, type ProgramBackend } from './program.js';

const THREADS = 64;

export interface EachElement {
  /** Names the code. */
  key: string;
  /** Tensors by the name that the code has for them. */
  inputs: Record<string, tf.TensorInfo>;
  shape: number[];
  /** Further fields of `uniforms`. */
  uniforms: Record<string, number>;
  /** WGSL statements that set `result[i]`, for every `i`. */
  code: string;
}

/** A tensor [...shape] of float32, each element by a thread of its own. */
export function eachElement(backend: ProgramBackend, { key, inputs, shape, uniforms: more, code }: EachElement) {
  const values = shape.reduce((product, length) => product * length, 1);
  const groups = Math.ceil(values / THREADS);
  const wide = Math.min(groups, MOST_GROUPS);
  const { uniforms, data } = fields({ values, ...more });
  const program = {
    variableNames: Object.keys(inputs),
    uniforms,
    outputShape: shape,
    workgroupSize: [THREADS, 1, 1] as [number, number, number],
    dispatchLayout: { x: [0], y: [1], z: [2] },
    dispatch: [wide, Math.ceil(groups / wide), 1] as [number, number, number],
    shaderKey: `eatDml_${key}`,
    getUserCode: () => `
      fn main() {
        let i = (i32(workgroupId.y) * i32(numWorkgroups.x) + i32(workgroupId.x)) * ${THREADS} + i32(localIndex);
        if (i >= uniforms.values) { return; }
        ${code}
      }`,
  };
  return backend.runWebGPUProgram(program, Object.values(inputs), 'float32', data);
}

/** The parts [parts, ...] of sums, added up in their order. */
export function sumOfParts(backend: ProgramBackend, x: tf.TensorInfo, shape: number[], parts: number): tf.TensorInfo {
  return eachElement(backend, {
    key: 'sumOfParts',
    inputs: { x },
    shape,
    uniforms: { parts },
    code: `
      var sum = 0.0;
      for (var part = 0; part < uniforms.parts; part++) { sum += x[part * uniforms.values + i]; }
      result[i] = sum;`,
  });
}
