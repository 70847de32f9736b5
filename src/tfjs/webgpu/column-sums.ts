import type * as tf from '#tf';
import { sumOfParts } from './each-element.js';
import { fields, type ProgramBackend, type Uniform, type WebgpuProgram } from './program.js';

const THREADS = 256;
/** Rows that one workgroup goes through at least; about as many chunks as this are made. */
const LEAST_ROWS = 64;
const CHUNKS = 256;

export interface ColumnSums {
  /** Names the terms. */
  key: string;
  /** Tensors by the name that the terms have for them. */
  inputs: Record<string, tf.TensorInfo>;
  rows: number;
  columns: number;
  /** WGSL, of element `i` in column `c`: what is summed. */
  terms: string[];
  /** WGSL before the terms, which may use what it declares. */
  before?: string;
  /** Further fields of `uniforms`. */
  uniforms: Record<string, number>;
}

/** Sums over the rows of each column, [terms, columns], of float32: chunks of rows by themselves, then the chunks in order. */
export function columnSums(backend: ProgramBackend, sums: ColumnSums): tf.TensorInfo {
  const { rows, columns, terms, inputs } = sums;
  const chunkRows = Math.max(LEAST_ROWS, Math.ceil(rows / CHUNKS));
  const chunks = Math.ceil(rows / chunkRows);
  const { program, data } = partialSums(sums, chunks, chunkRows);
  const partial = backend.runWebGPUProgram(program, Object.values(inputs), 'float32', data);
  const sum = sumOfParts(backend, partial, [terms.length, columns], chunks);
  backend.disposeData(partial.dataId);
  return sum;
}

function partialSums(
  { key, inputs, rows, columns, terms, before = '', uniforms: more }: ColumnSums,
  chunks: number,
  chunkRows: number,
): { program: WebgpuProgram; data: Uniform[] } {
  // A power of two, so that threads of one row read neighbours.
  const lanes = Math.min(64, 2 ** Math.ceil(Math.log2(columns)));
  const deep = THREADS / lanes;
  const { uniforms, data } = fields({ rows, columns, chunkRows, ...more });
  const each = (code: (term: number) => string) => terms.map((_, term) => code(term)).join('\n');
  const program: WebgpuProgram = {
    variableNames: Object.keys(inputs),
    uniforms,
    outputShape: [chunks, terms.length, columns],
    workgroupSize: [THREADS, 1, 1],
    dispatchLayout: { x: [0], y: [1], z: [2] },
    dispatch: [Math.ceil(columns / lanes), chunks, 1],
    shaderKey: `eatDml_${key}_${lanes}`,
    getUserCode: () => `
      var<workgroup> shared_: array<array<f32, ${THREADS}>, ${terms.length}>;
      fn main() {
        let lane = i32(localIndex) % ${lanes};
        let c = i32(workgroupId.x) * ${lanes} + lane;
        let first = i32(workgroupId.y) * uniforms.chunkRows;
        var sums: array<f32, ${terms.length}>;
        if (c < uniforms.columns) {
          for (var r = i32(localIndex) / ${lanes}; r < uniforms.chunkRows; r += ${deep}) {
            if (first + r >= uniforms.rows) { break; }
            let i = (first + r) * uniforms.columns + c;
            ${before}
            ${each((term) => `sums[${term}] += ${terms[term]};`)}
          }
        }
        ${each((term) => `shared_[${term}][localIndex] = sums[${term}];`)}
        workgroupBarrier();
        if (i32(localIndex) >= ${lanes} || c >= uniforms.columns) { return; }
        for (var d = 1; d < ${deep}; d++) {
          ${each((term) => `sums[${term}] += shared_[${term}][d * ${lanes} + lane];`)}
        }
        let at = i32(workgroupId.y) * ${terms.length} * uniforms.columns + c;
        ${each((term) => `result[at + ${term} * uniforms.columns] = sums[${term}];`)}
      }`,
  };
  return { program, data };
}
