import { MOST_GROUPS, type WebgpuProgram } from './program.js';

/** Of a tile of the result, and how deep the slices are that are held of both factors. */
const ROWS = 64;
const DEPTH = 16;
/** Threads of a workgroup, each with 4 rows and `columns` / 16 columns of the tile in registers. */
const SIDE = 16;
export const MOST_ROWS = ROWS * MOST_GROUPS;

/**
 * A product C[m, n] = Σ_k A(m, k) B(k, n) whose factors are read where they lie, by WGSL functions of their own: a convolution without
 * its patches being written down. The sum may be cut into `parts`, [parts, m, n], to be added up after.
 */
export interface TiledProduct {
  /** Names the factors' code. */
  key: string;
  variableNames: [string, string];
  /** [parts, m, n] or, of one part, any shape of m x n values. */
  outputShape: number[];
  m: number;
  n: number;
  /** Terms of the sum. */
  k: number;
  parts: number;
  /** Declarations beside `m`, `n`, `k` and `partLength`, which the caller's uniforms begin with. */
  uniforms: string;
  /** WGSL: `fn factorA(m: i32, k: i32) -> f32` and `fn factorB(k: i32, n: i32) -> f32`, called inside their bounds. */
  factors: string;
}

/** Columns of a tile: few where the result has few. */
const columnsOf = (n: number) => (n > 32 ? 64 : 32);

/** Terms of the sum in each part, a multiple of the depth of a slice. */
export function partLengthOf(k: number, parts: number): number {
  return Math.ceil(k / parts / DEPTH) * DEPTH;
}

/** Into how many parts to cut a sum so that about `wanted` workgroups have work, of at least `least` terms each. */
export function partsOf({ m, n, k }: { m: number; n: number; k: number }, wanted = 512, least = 256): number {
  const tiles = Math.ceil(m / ROWS) * Math.ceil(n / columnsOf(n));
  return Math.max(1, Math.min(Math.floor(wanted / tiles), Math.ceil(k / least)));
}

export function tiledProduct(product: TiledProduct): WebgpuProgram {
  const { key, variableNames, outputShape, m, n, parts, uniforms, factors } = product;
  const columns = columnsOf(n);
  return {
    variableNames,
    uniforms,
    outputShape,
    workgroupSize: [SIDE, SIDE, 1],
    // What main() does not ask for; it computes where it is from the workgroup.
    dispatchLayout: { x: [0], y: [1], z: [2] },
    dispatch: [Math.ceil(n / columns), Math.ceil(m / ROWS), parts],
    shaderKey: `eatDml_${key}_${columns}`,
    getUserCode: () => `${factors}\n${tileCode(columns)}`,
  };
}

/**
 * How many turns it takes is told by uniforms alone, so that all threads of a workgroup meet at the barriers. Sums are variables of their
 * own, `s0` to `s3`: an array that a loop counts through would lie in memory.
 */
function tileCode(columns: number): string {
  const own = columns / SIDE;
  const vector = `vec${own}f`;
  const components = [...'xyzw'].slice(0, own);
  const rows = [0, 1, 2, 3];
  const store = (r: number) =>
    components.map((component, c) => `put(firstM + row + ${r}, firstN + column + ${c}, s${r}.${component});`).join(' ');
  return `
    var<workgroup> tileA: array<array<f32, ${ROWS}>, ${DEPTH}>;
    var<workgroup> tileB: array<array<f32, ${columns}>, ${DEPTH}>;

    fn put(m: i32, n: i32, value: f32) {
      if (m < uniforms.m && n < uniforms.n) {
        result[(i32(workgroupId.z) * uniforms.m + m) * uniforms.n + n] = value;
      }
    }

    fn main() {
      let thread = i32(localIndex);
      let firstM = i32(workgroupId.y) * ${ROWS};
      let firstN = i32(workgroupId.x) * ${columns};
      let firstK = i32(workgroupId.z) * uniforms.partLength;
      let endK = min(firstK + uniforms.partLength, uniforms.k);
      let row = i32(localId.y) * 4;
      let column = i32(localId.x) * ${own};
      ${rows.map((r) => `var s${r} = ${vector}(0.0);`).join(' ')}
      for (var turn = 0; turn < uniforms.partLength; turn += ${DEPTH}) {
        for (var i = thread; i < ${ROWS * DEPTH}; i += ${SIDE * SIDE}) {
          let m = firstM + i % ${ROWS};
          let k = firstK + turn + i / ${ROWS};
          var value = 0.0;
          if (m < uniforms.m && k < endK) { value = factorA(m, k); }
          tileA[i / ${ROWS}][i % ${ROWS}] = value;
        }
        for (var i = thread; i < ${columns * DEPTH}; i += ${SIDE * SIDE}) {
          let n = firstN + i % ${columns};
          let k = firstK + turn + i / ${columns};
          var value = 0.0;
          if (n < uniforms.n && k < endK) { value = factorB(k, n); }
          tileB[i / ${columns}][i % ${columns}] = value;
        }
        workgroupBarrier();
        for (var k = 0; k < ${DEPTH}; k++) {
          let b = ${vector}(${components.map((_, c) => `tileB[k][column + ${c}]`).join(', ')});
          ${rows.map((r) => `s${r} = fma(${vector}(tileA[k][row + ${r}]), b, s${r});`).join('\n')}
        }
        workgroupBarrier();
      }
      ${rows.map(store).join('\n')}
    }`;
}
