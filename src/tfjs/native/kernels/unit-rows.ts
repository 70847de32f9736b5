import type { NativeKernel } from '../kernel.js';

export interface UnitRows {
  values: Float32Array;
  /** 1 / |row|, at most {@link MOST}. */
  inverse: Float64Array;
}

/** The scale of a row of length 1e-12 or less, which is a constant to the gradient. */
const MOST = 1e12;

/** The rows of `x`, `d` values each, scaled to unit length into `values`. */
export function scaleRows(x: Float32Array, d: number, values: Float32Array = new Float32Array(x.length)): UnitRows {
  const inverse = new Float64Array(x.length / d);
  for (let row = 0; row < inverse.length; row++) {
    let squares = 0;
    for (let i = row * d; i < (row + 1) * d; i++) squares += x[i] * x[i];
    const scale = Math.min(1 / Math.sqrt(squares), MOST);
    inverse[row] = scale;
    for (let i = row * d; i < (row + 1) * d; i++) values[i] = x[i] * scale;
  }
  return { values, inverse };
}

/** The gradient by rows x from `g`, that by x/|x|, into `out`: (g - x̂ (x̂·g)) / |x|. */
export function throughScaling(g: Float32Array, { values, inverse }: UnitRows, d: number, out = g): Float32Array {
  for (let row = 0; row < inverse.length; row++) {
    let along = 0;
    if (inverse[row] < MOST) for (let i = row * d; i < (row + 1) * d; i++) along += values[i] * g[i];
    for (let i = row * d; i < (row + 1) * d; i++) out[i] = (g[i] - values[i] * along) * inverse[row];
  }
  return out;
}

/** x [n, d] with rows of unit length: a few plain loops cost less than the calls of the operations that they are made of. */
const unitRows: NativeKernel = {
  kernelName: 'UnitRows',
  run({ inputs: { x }, backend }) {
    const { values } = scaleRows(backend.floats(x), x.shape[1], backend.allocate(x.shape));
    return backend.output(x.shape, values);
  },
};

const unitRowsGrad: NativeKernel = {
  kernelName: 'UnitRowsGrad',
  run({ inputs: { dy, x }, backend }) {
    const d = x.shape[1];
    const unit = scaleRows(backend.floats(x), d);
    return backend.output(x.shape, throughScaling(backend.floats(dy), unit, d, backend.allocate(x.shape)));
  },
};

export const unitRowsKernels: NativeKernel[] = [unitRows, unitRowsGrad];
