import {
  attackStep,
  centroidMeans,
  kmeans,
  type Matrix,
  nearestCentroid,
  nearestNeighbors,
  pairwiseDistance,
  projectPerturbation,
} from '../../src/kernels/index.js';
import { convReluStack, convReluStackBackpropInput } from './network/by-device.js';
import { normalMatrix } from './support.js';

export const a = normalMatrix(4, 3);
export const b = normalMatrix(5, 3);
export const with_ = (m: Matrix, index: number, value: number): Matrix => {
  const data = m.data.slice();
  data[index] = value;
  return { ...m, data };
};
export const step = { origin: a, current: a, gradient: a, norm: 'linf', epsilon: 0.1, stepSize: 0.1 } as const;
export const wrong = (value: unknown) => value as never;

/** A 1x1 convolution of one image of 2x2. */
export function layer(inChannels: number, outChannels: number) {
  const geometry = {
    ...{ batch: 1, inHeight: 2, inWidth: 2, inChannels, outHeight: 2, outWidth: 2, outChannels },
    ...{ filterHeight: 1, filterWidth: 1, strideHeight: 1, strideWidth: 1 },
    ...{ padTop: 0, padLeft: 0, dilationHeight: 1, dilationWidth: 1 },
  };
  return { geometry, filter: new Float32Array(inChannels * outChannels), bias: new Float32Array(outChannels) };
}

/** name, what is called, the sentence it ends in. */
export const CASES: [string, () => unknown, string][] = [
  [
    'a plain array',
    () => pairwiseDistance(wrong([1, 2]), b),
    'Expected a matrix {data: Float32Array, rows, cols, batch?} for a but received [1, 2].',
  ],
  [
    'no matrix',
    () => pairwiseDistance(wrong(undefined), b),
    'Expected a matrix {data: Float32Array, rows, cols, batch?} for a but received undefined.',
  ],
  [
    'the wrong dtype',
    () => pairwiseDistance(wrong({ ...a, data: new Float64Array(12) }), b),
    'Expected a Float32Array for a.data but received a Float64Array of length 12.',
  ],
  [
    'the wrong length',
    () => pairwiseDistance({ ...a, rows: 5 }, b),
    'Expected 15 values (5 x 3) in a.data but received 12.',
  ],
  [
    'the wrong length with a batch',
    () => pairwiseDistance({ ...a, batch: 2 }, b),
    'Expected 24 values (2 x 4 x 3) in a.data but received 12.',
  ],
  [
    'an empty matrix',
    () => pairwiseDistance({ data: new Float32Array(0), rows: 0, cols: 3 }, b),
    'Expected a positive integer for a.rows but received 0.',
  ],
  [
    'fractional rows',
    () => pairwiseDistance({ ...a, rows: 1.5 }, b),
    'Expected a positive integer for a.rows but received 1.5.',
  ],
  [
    'cols that differ',
    () => pairwiseDistance(a, normalMatrix(5, 4)),
    'Expected b to have the same cols and batch as a (4 x 3) but received 5 x 4.',
  ],
  [
    'batches that differ',
    () => nearestCentroid(normalMatrix(4, 3, { batch: 2 }), b),
    'Expected centroids to have the same cols and batch as points (2 x 4 x 3) but received 5 x 3.',
  ],
  [
    'an unknown metric',
    () => pairwiseDistance(a, b, { metric: wrong('manhattan') }),
    'Expected one of sqeuclidean, euclidean, cosine, dot for metric but received "manhattan".',
  ],
  [
    'an unknown option',
    () => pairwiseDistance(a, b, wrong({ metrik: 'dot' })),
    'Expected options among device, checkFinite, signal, metric, out but received "metrik".',
  ],
  [
    'an out that is too short',
    () => pairwiseDistance(a, b, { out: new Float32Array(3) }),
    'Expected a Float32Array of length 20 for out but received a Float32Array of length 3.',
  ],
  [
    'an unknown device',
    () => pairwiseDistance(a, b, { device: wrong('tpu') }),
    'Expected one of auto, cuda, webgpu, cpu, js for device but received "tpu".',
  ],
  ['k = 0', () => kmeans(a, { k: 0 }), 'Expected a positive integer for k but received 0.'],
  ['k > n', () => kmeans(a, { k: 5 }), 'Expected at most 4 (the rows of points) for k but received 5.'],
  ['no k', () => kmeans(a, {}), 'Expected a positive integer for k but received undefined.'],
  [
    'an init that does not fit',
    () => kmeans(a, { init: normalMatrix(2, 4) }),
    'Expected init of shape 1 x 2 x 3 but received 1 x 2 x 4.',
  ],
  [
    'restarts of a given start',
    () => kmeans(a, { init: normalMatrix(2, 3), restarts: 2 }),
    'Expected 1 where init is a matrix for restarts but received 2.',
  ],
  [
    'an unknown init',
    () => kmeans(a, { k: 2, init: wrong('forgy') }),
    'Expected one of k-means++, k-means||, random for init but received "forgy".',
  ],
  [
    'a negative tolerance',
    () => kmeans(a, { k: 2, tolerance: -1 }),
    'Expected a finite number >= 0 for tolerance but received -1.',
  ],
  ['a fractional seed', () => kmeans(a, { k: 2, seed: 0.5 }), 'Expected an integer for seed but received 0.5.'],
  [
    'more neighbours than points',
    () => nearestNeighbors(a, a, { k: 4, excludeSelf: true }),
    'Expected at most 3 (the neighbours a query can have) for k but received 4.',
  ],
  [
    'labels of the wrong length',
    () => centroidMeans(a, new Int32Array(3), { k: 2 }),
    'Expected an Int32Array of length 4 for labels but received a Int32Array of length 3.',
  ],
  [
    'labels out of range',
    () => centroidMeans(a, Int32Array.of(0, 1, 2, 0), { k: 2 }),
    'Expected labels in [0, 2) but received 2 in row 2.',
  ],
  [
    'a negative weight',
    () => centroidMeans(a, new Int32Array(4), { k: 1, weights: Float32Array.of(1, 1, -1, 1) }),
    'Expected finite weights >= 0 but received -1 in row 2.',
  ],
  [
    'epsilon < 0',
    () => projectPerturbation(a, { norm: 'l2', epsilon: -0.1 }),
    'Expected a finite number >= 0 for epsilon but received -0.1.',
  ],
  [
    'no epsilon',
    () => attackStep({ ...step, epsilon: wrong(undefined) }),
    'Expected a finite number >= 0 for epsilon but received undefined.',
  ],
  [
    'an unknown norm',
    () => attackStep({ ...step, norm: wrong('l0') }),
    'Expected one of linf, l2, l1 for norm but received "l0".',
  ],
  [
    'a box upside down',
    () => attackStep({ ...step, box: [1, 0] }),
    'Expected [low, high] with low <= high for box but received [1, 0].',
  ],
  [
    'a box seen from nowhere',
    () => projectPerturbation(a, { norm: 'l2', epsilon: 1, box: [0, 1] }),
    'Expected the point the box is seen from, where box is given for around but received undefined.',
  ],
  [
    'a gradient of another shape',
    () => attackStep({ ...step, gradient: b }),
    'Expected gradient to have the same shape as origin (4 x 3) but received 5 x 3.',
  ],
  [
    'no layers',
    () => convReluStack({ layers: [], input: new Float32Array(1) }),
    'Expected a list of at least one layer for layers but received an array of length 0.',
  ],
  [
    'layers that do not follow',
    () => convReluStack({ layers: [layer(1, 2), layer(3, 1)], input: new Float32Array(4) }),
    "Expected the shape of the output before, [1, 2, 2, 2] for layers[1]'s input but received [1, 2, 2, 3].",
  ],
  [
    'a layer without its bias',
    () => convReluStack({ layers: [{ ...layer(1, 2), bias: undefined }], input: new Float32Array(4) }),
    'Expected a Float32Array for layers[0].bias but received undefined.',
  ],
  [
    'a layer that is none',
    () => convReluStack({ layers: [wrong(null)], input: new Float32Array(4) }),
    'Expected an object {geometry, filter, bias?} for layers[0] but received null.',
  ],
  [
    'a layer with a setting that there is not',
    () => convReluStack({ layers: [wrong({ ...layer(1, 2), strides: 2 })], input: new Float32Array(4) }),
    'Expected options among geometry, filter, bias but received "strides".',
  ],
  [
    'a geometry that is not whole',
    () => {
      const { padTop: _, ...rest } = layer(1, 2).geometry;
      return convReluStack({ layers: [{ ...layer(1, 2), geometry: wrong(rest) }], input: new Float32Array(4) });
    },
    'Expected an integer for layers[0].geometry.padTop but received undefined.',
  ],
  [
    'bits of another stack',
    () => convReluStackBackpropInput({ layers: [layer(1, 40)], dy: new Float32Array(160), passed: new Int32Array(4) }),
    'Expected an Int32Array of length 8 for passed but received a Int32Array of length 4.',
  ],
  [
    'a sum of another length',
    () => convReluStack({ layers: [layer(1, 2)], input: new Float32Array(4), sum: new Float32Array(4) }),
    'Expected a Float32Array of length 8 for sum but received a Float32Array of length 4.',
  ],
  [
    'a residual block that changes the shape',
    () =>
      convReluStackBackpropInput({
        ...{ layers: [layer(1, 2)], residual: true },
        ...{ dy: new Float32Array(8), passed: new Int32Array(4) },
      }),
    "Expected the shape of the last output, [1, 2, 2, 2] for layers[0]'s input but received [1, 2, 2, 1].",
  ],
];
