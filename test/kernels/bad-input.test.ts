import { describe, expect, test } from 'vitest';
import {
  attackStep,
  attackStepSync,
  centroidMeans,
  kmeans,
  nearestCentroid,
  nearestNeighbors,
  pairwiseDistance,
  projectPerturbation,
} from '../../src/kernels/index.js';
import { loadAddon } from '../../src/kernels/load-addon.js';
import { a, b, CASES, layer, step, with_ } from './bad-input-cases.js';
import { describeNative, normalMatrix, testDevices, timesOn } from './support.js';

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

  // webgpu has no synchronous calls.
  test.skipIf(device === 'webgpu')('the step that meets NaN over its own input leaves it as it was', () => {
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
    const rows = timesOn(device, 300, 100);
    const [a, b] = [normalMatrix(rows, 64), normalMatrix(rows, 64, { seed: 2 })];
    const expected = (await pairwiseDistance(a, b, { device })).data;
    const x = normalMatrix(rows, 64);
    const shared = { ...normalMatrix(rows, 64, { seed: 2 }) };
    const memory = new SharedArrayBuffer(rows * 64 * 4);
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
    const { geometry, ...rest } = layer(1, 2);
    const { convReluStackBackpropInput: back } = loadAddon() as unknown as Record<string, (args: object) => void>;
    const args = { layers: [{ ...geometry, ...rest }], dy: new Float32Array(8), passed: new Int32Array(4) };
    const out = () => ({ ...args, out: new Float32Array(4) });
    expect(() => back({ ...out(), residual: true })).toThrow('Expected an input of the shape of the output.');
    expect(() => back(out())).not.toThrow();
  });
});
