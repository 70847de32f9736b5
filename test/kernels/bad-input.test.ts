import { describe, expect, test } from 'vitest';
import {
  attackStep,
  attackStepSync,
  centroidMeans,
  kmeans,
  type Matrix,
  nearestCentroid,
  nearestNeighbors,
  pairwiseDistance,
  pairwiseDistanceSync,
  projectPerturbation,
} from '../../src/kernels/index.js';
import { loadAddon } from '../../src/kernels/load-addon.js';
import { convReluStack, convReluStackBackpropInput } from './network/by-device.js';
import { describeNative, normalMatrix, testDevices } from './support.js';

const a = normalMatrix(4, 3);
const b = normalMatrix(5, 3);
const with_ = (m: Matrix, index: number, value: number): Matrix => {
  const data = m.data.slice();
  data[index] = value;
  return { ...m, data };
};
const step = { origin: a, current: a, gradient: a, norm: 'linf', epsilon: 0.1, stepSize: 0.1 } as const;
const wrong = (value: unknown) => value as never;

/** A 1x1 convolution of one image of 2x2. */
function layer(inChannels: number, outChannels: number) {
  const geometry = {
    ...{ batch: 1, inHeight: 2, inWidth: 2, inChannels, outHeight: 2, outWidth: 2, outChannels },
    ...{ filterHeight: 1, filterWidth: 1, strideHeight: 1, strideWidth: 1 },
    ...{ padTop: 0, padLeft: 0, dilationHeight: 1, dilationWidth: 1 },
  };
  return { geometry, filter: new Float32Array(inChannels * outChannels), bias: new Float32Array(outChannels) };
}

/** name, what is called, the sentence it ends in. */
const CASES: [string, () => unknown, string][] = [
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
    'Expected one of auto, cuda, cpu, js for device but received "tpu".',
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
    'Expected one of k-means++, random for init but received "forgy".',
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
];

for (const [name, call, sentence] of CASES) {
  test(`${name} gives one sentence`, async () => {
    await expect((async () => call())()).rejects.toMatchObject({ name: 'EatDmlError', message: sentence });
  });
}

describe.each(testDevices)('%s', (device) => {
  const outside = { ...a, data: a.data.map((_, i) => (i === 7 ? 1.5 : 0.5)) };
  const BAD: [string, () => Promise<unknown>, string][] = [
    [
      'NaN in a',
      () => pairwiseDistance(with_(a, 7, Number.NaN), b, { device }),
      'Expected finite values in a but received NaN in row 2.',
    ],
    [
      'Inf in b, NaN later in a',
      () => pairwiseDistance(with_(a, 11, Number.NaN), with_(b, 0, Infinity), { device }),
      'Expected finite values in a but received NaN in row 3.',
    ],
    [
      '-Inf in b',
      () => pairwiseDistance(a, with_(b, 14, -Infinity), { device, metric: 'cosine' }),
      'Expected finite values in b but received -Infinity in row 4.',
    ],
    [
      'NaN in a batch',
      () =>
        pairwiseDistance(with_(normalMatrix(4, 3, { batch: 2 }), 14, Number.NaN), normalMatrix(5, 3, { batch: 2 }), {
          device,
        }),
      'Expected finite values in a but received NaN in batch 1, row 0.',
    ],
    [
      'NaN in points',
      () => nearestCentroid(with_(a, 3, Number.NaN), b, { device }),
      'Expected finite values in points but received NaN in row 1.',
    ],
    [
      'NaN in centroids',
      () => nearestCentroid(a, with_(b, 3, Number.NaN), { device }),
      'Expected finite values in centroids but received NaN in row 1.',
    ],
    [
      'NaN in queries',
      () => nearestNeighbors(with_(a, 3, Number.NaN), b, { k: 1, device }),
      'Expected finite values in queries but received NaN in row 1.',
    ],
    [
      'NaN among labelled points',
      () => centroidMeans(with_(a, 9, Number.NaN), new Int32Array(4), { k: 1, device }),
      'Expected finite values in points but received NaN in row 3.',
    ],
    [
      'NaN in k-means',
      () => kmeans(with_(a, 9, Number.NaN), { k: 2, device }),
      'Expected finite values in points but received NaN in row 3.',
    ],
    [
      'NaN in the start',
      () => kmeans(a, { init: with_(normalMatrix(2, 3), 5, Number.NaN), device }),
      'Expected finite values in init but received NaN in row 1.',
    ],
    [
      'NaN in delta',
      () => projectPerturbation(with_(a, 4, Number.NaN), { norm: 'l1', epsilon: 1, device }),
      'Expected finite values in delta but received NaN in row 1.',
    ],
    [
      'Inf in a gradient',
      () => attackStep({ ...step, gradient: with_(a, 4, Infinity), device }),
      'Expected finite values in gradient but received Infinity in row 1.',
    ],
    [
      'NaN in the current point, l2',
      () => attackStep({ ...step, norm: 'l2', current: with_(a, 4, Number.NaN), device }),
      'Expected finite values in current but received NaN in row 1.',
    ],
    [
      'an origin outside the box',
      () => attackStep({ ...step, origin: outside, box: [0, 1], device }),
      'Expected origin to lie in the box but row 2 does not.',
    ],
    [
      'an origin outside the box, l2',
      () => attackStep({ ...step, norm: 'l2', origin: outside, box: [0, 1], device }),
      'Expected origin to lie in the box but row 2 does not.',
    ],
    [
      'around outside the box',
      () => projectPerturbation(a, { norm: 'l2', epsilon: 1, around: outside, device }),
      'Expected around to lie in the box but row 2 does not.',
    ],
  ];
  for (const [name, call, sentence] of BAD) {
    test(`${name} gives one sentence`, async () => {
      await expect(call()).rejects.toMatchObject({ name: 'EatDmlError', message: sentence });
    });
  }

  test('the step that meets NaN over its own input leaves it as it was', () => {
    const current = a.data.slice();
    const options = {
      ...step,
      current: { ...a, data: current },
      gradient: with_(a, 0, Number.NaN),
      out: current,
      device,
    };
    expect(() => attackStepSync(options)).toThrow('Expected finite values in gradient');
    expect(current).toEqual(a.data);
  });

  test('checkFinite: false looks away', async () => {
    const { data } = await pairwiseDistance(with_(a, 0, Number.NaN), b, { device, checkFinite: false });
    expect(data.slice(0, 5).every(Number.isNaN)).toBe(true);
    expect(data.slice(5).every(Number.isFinite)).toBe(true);
  });

  test('a detached buffer gives one sentence', async () => {
    const gone = { ...a, data: a.data.slice() };
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer] });
    const sentence = 'Expected an attached buffer under a.data but received a detached one.';
    await expect(pairwiseDistance(gone, b, { device })).rejects.toThrow(sentence);
  });

  test('buffers transferred or shared memory changed meanwhile do not disturb a running call', async () => {
    const expected = pairwiseDistanceSync(normalMatrix(300, 64), normalMatrix(300, 64, { seed: 2 }), { device }).data;
    const x = normalMatrix(300, 64);
    const shared = { ...normalMatrix(300, 64, { seed: 2 }) };
    const memory = new SharedArrayBuffer(300 * 64 * 4);
    const y = { ...shared, data: new Float32Array(memory) };
    y.data.set(shared.data);
    const call = pairwiseDistance(x, y, { device });
    y.data.fill(7);
    if (device === 'cpu') structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
    expect((await call).data).toEqual(expected);
  });
});

describeNative('the addon, called past the checks', () => {
  const call = (layers: ReturnType<typeof layer>[]) => {
    const args = {
      layers: layers.map(({ geometry, ...rest }) => ({ ...geometry, ...rest })),
      input: new Float32Array(4),
    };
    const { convReluStack: run } = loadAddon() as unknown as Record<string, (args: object, async: boolean) => void>;
    return () => run({ ...args, out: new Float32Array(4), passed: new Int32Array(8) }, false);
  };

  test('refuses a stack whose memory it could leave', () => {
    expect(call([])).toThrow('Expected at least one layer.');
    expect(call([layer(1, 2), layer(3, 1)])).toThrow('Expected layers that follow each other.');
    expect(call([layer(1, 2), layer(2, 1)])).not.toThrow();
  });
});
