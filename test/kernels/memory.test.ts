import { describe, expect, test } from 'vitest';
import {
  attackStep,
  attackStepSync,
  centroidMeans,
  centroidMeansSync,
  kmeans,
  kmeansSync,
  type Matrix,
  nearestCentroid,
  nearestNeighbors,
  pairwiseDistance,
  pairwiseDistanceSync,
  projectPerturbation,
  uploadMatrix,
} from '../../src/kernels/index.js';
import { conv2d, gather, softmax } from './network/by-device.js';
import { normalMatrix, testDevices } from './support.js';

/** The same values in memory that other threads may write. */
function shared<T extends Float32Array | Int32Array>(values: T): T {
  const copy = new (values.constructor as new (memory: SharedArrayBuffer) => T)(
    new SharedArrayBuffer(values.byteLength),
  );
  copy.set(values);
  return copy;
}

const detach = (array: Float32Array | Int32Array) =>
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });

describe.each(testDevices)('%s', (device) => {
  const a = normalMatrix(60, 9);
  const b = normalMatrix(40, 9, { seed: 2 });
  const copy = ({ data, ...shape }: Matrix): Matrix => ({ ...shape, data: data.slice() });

  describe('inputs of a Promise call are private from the moment it returns', () => {
    const labels = Int32Array.from({ length: 60 }, (_, i) => i % 7);
    const weights = Float32Array.from({ length: 60 }, (_, i) => 1 + (i % 3));
    const step = { norm: 'l2', epsilon: 1, stepSize: 0.5, device } as const;
    const calls: [string, (x: Matrix, y: Matrix, ids: Int32Array, w: Float32Array) => Promise<object>][] = [
      ['pairwiseDistance', (x, y) => pairwiseDistance(x, y, { device })],
      ['nearestCentroid', (x, y) => nearestCentroid(x, y, { device })],
      ['nearestNeighbors', (x, y) => nearestNeighbors(x, y, { k: 3, device })],
      ['centroidMeans', (x, _, ids, w) => centroidMeans(x, ids, { k: 7, weights: w, device })],
      ['kmeans', (x, y) => kmeans(x, { init: { ...y, rows: 5, data: y.data.slice(0, 45) }, device })],
      ['kmeans from k-means++', (x) => kmeans(x, { k: 5, restarts: 3, tolerance: 1e-9, device })],
      ['attackStep', (x, y) => attackStep({ origin: x, current: x, gradient: { ...x, data: joined(y, x) }, ...step })],
      ['projectPerturbation', (x) => projectPerturbation(x, { norm: 'l1', epsilon: 1, device })],
    ];
    /** As many values as `x` has, of `y`'s memory where that is large enough. */
    const joined = (y: Matrix, x: Matrix) => (y.data.length >= x.data.length ? y.data : x.data.map((v) => v * 0.5));

    for (const [name, call] of calls) {
      const given = () => [copy(a), copy(b), labels.slice(), weights.slice()] as const;
      test(`${name}: written to, detached`, async () => {
        const expected = await call(...given());
        for (const change of [(v: Float32Array | Int32Array) => v.fill(3), detach]) {
          const [x, y, ids, w] = given();
          const running = call(x, y, ids, w);
          for (const array of [x.data, y.data, ids, w]) change(array);
          expect(await running).toEqual(expected);
        }
      });
    }
  });

  test('labels in shared memory are read once', async () => {
    const labels = shared(Int32Array.from({ length: 60 }, (_, i) => i % 7));
    const expected = centroidMeansSync(a, labels.slice(), { k: 7, device });
    const running = centroidMeans(a, labels, { k: 7, device });
    labels.fill(1 << 28);
    expect(await running).toEqual(expected);
    expect(() => centroidMeansSync(a, labels, { k: 7, device })).toThrow('Expected labels in [0, 7)');
  });

  test('the very memory of out comes back, and nobody else has it meanwhile', async () => {
    const out = new Float32Array(60 * 40);
    const running = pairwiseDistance(a, b, { device, out });
    expect(out.length).toBe(0);
    const { data } = await running;
    expect(data).toEqual(pairwiseDistanceSync(a, b, { device }).data);
    const again = await pairwiseDistance(b, a, { device, out: data });
    expect(again.data).toEqual(pairwiseDistanceSync(b, a, { device }).data);
    const gone = 'Expected an attached buffer under out but received a detached one.';
    await expect(pairwiseDistance(a, b, { device, out })).rejects.toThrow(gone);
  });

  test('an out in a larger buffer, or in shared memory, is written where it is', async () => {
    const expected = pairwiseDistanceSync(a, b, { device }).data;
    const large = new Float32Array(5000).fill(-1);
    const part = large.subarray(100, 100 + 2400);
    expect((await pairwiseDistance(a, b, { device, out: part })).data).toBe(part);
    expect(part).toEqual(expected);
    expect([large[99], large[2500]]).toEqual([-1, -1]);
    const open = new Float32Array(new SharedArrayBuffer(2400 * 4));
    expect((await pairwiseDistance(a, b, { device, out: open })).data).toBe(open);
    expect(open.slice()).toEqual(expected);
  });

  test('an out that is taken away meanwhile gets nothing, and the result is whole', async () => {
    const part = new Float32Array(5000).subarray(100, 2500);
    const running = pairwiseDistance(a, b, { device, out: part });
    detach(part);
    expect((await running).data).toEqual(pairwiseDistanceSync(a, b, { device }).data);
  });

  test('an out over an input is refused, but for the inputs that may be it', async () => {
    const [square, other] = [normalMatrix(9, 9), normalMatrix(9, 9, { seed: 3 })];
    const sentence = 'Expected out to lie apart from a but received overlapping memory.';
    expect(() => pairwiseDistanceSync(square, other, { device, out: square.data })).toThrow(sentence);
    await expect(pairwiseDistance(square, other, { device, out: square.data })).rejects.toThrow(sentence);
    const memory = new Float32Array(100);
    const within = { ...square, data: memory.subarray(0, 81) };
    expect(() => pairwiseDistanceSync(within, other, { device, out: memory.subarray(19) })).toThrow(sentence);
    const step = { origin: a, gradient: a, norm: 'linf', epsilon: 0.1, stepSize: 0.05, device } as const;
    const expected = attackStepSync({ ...step, current: copy(a) }).data;
    const current = copy(a);
    expect(attackStepSync({ ...step, current, out: current.data }).data).toEqual(expected);
    const later = copy(a);
    expect((await attackStep({ ...step, current: later, out: later.data })).data).toBe(later.data);
    expect(later.data).toEqual(expected);
    expect(() => attackStepSync({ ...step, current, out: a.data })).toThrow('Expected out to lie apart from origin');
  });

  test('network kernels have the same check', () => {
    const x = normalMatrix(4, 4).data;
    const geometry = {
      ...{ batch: 1, inHeight: 4, inWidth: 4, inChannels: 1, outHeight: 4, outWidth: 4, outChannels: 1 },
      ...{ filterHeight: 3, filterWidth: 3, strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1 },
      ...{ padTop: 1, padLeft: 1 },
    };
    if (device === 'cuda') return;
    const conv = () => conv2d({ geometry, input: x, filter: new Float32Array(9), out: x, device });
    expect(conv).toThrow('Expected out to lie apart from input');
    const memory = new Float32Array(20);
    const overlapping = () => softmax({ x: memory.subarray(0, 16), rows: 4, cols: 4, out: memory.subarray(4), device });
    expect(overlapping).toThrow('Expected out to lie apart from x');
    expect(softmax({ x: x.slice(), rows: 4, cols: 4, device })).toEqual(
      softmax({ x, rows: 4, cols: 4, out: x, device }),
    );
    const indices = shared(Int32Array.of(0, 1));
    expect(gather({ x, indices, size: 4, inner: 4, count: 2, device })).toHaveLength(8);
  });

  for (const [how, take] of Object.entries({
    detaches: detach,
    transfers: (data: Float32Array) => structuredClone(data, { transfer: [data.buffer as ArrayBuffer] }),
    overwrites: (data: Float32Array) => data.fill(Number.NaN),
  })) {
    test(`a callback that ${how} the points does not disturb k-means`, async () => {
      const expected = kmeansSync(a, { k: 4, seed: 3, device });
      for (const run of [kmeansSync, kmeans]) {
        const points = copy(a);
        const onIteration = () => void (points.data.length > 0 && take(points.data));
        expect(await run(points, { k: 4, seed: 3, device, onIteration })).toEqual(expected);
      }
    });
  }

  test('a callback that shrinks a resizable buffer does not disturb k-means', async () => {
    const buffer = new ArrayBuffer(a.data.byteLength, { maxByteLength: 2 * a.data.byteLength } as never);
    const data = new Float32Array(buffer);
    data.set(a.data);
    const onIteration = () => (buffer as unknown as { resize(bytes: number): void }).resize(0);
    expect(kmeansSync({ ...a, data }, { k: 4, seed: 3, device, onIteration })).toEqual(
      kmeansSync(a, { k: 4, seed: 3, device }),
    );
  });

  test('an uploaded matrix keeps the values it had, and can be a look-alike of nothing', async () => {
    const points = copy(a);
    const there = uploadMatrix(points, { device });
    const expected = await nearestCentroid(a, b, { device });
    if (device !== 'cuda') points.data.fill(0);
    expect(await nearestCentroid(there, b, { device })).toEqual(expected);
    expect(kmeansSync(there, { k: 3, tolerance: 1e-3, device })).toEqual(
      kmeansSync(a, { k: 3, tolerance: 1e-3, device }),
    );
    if (device !== 'cuda') expect(there.data).toEqual(a.data);
    const fake = { ...a, resident: {}, device: 'cpu', disposed: false };
    expect(await nearestCentroid(fake, b, { device })).toEqual(expected);
    const running = nearestCentroid(there, b, { device });
    there.dispose();
    expect(await running).toEqual(expected);
    await expect(nearestCentroid(there, b, { device })).rejects.toThrow('received one that is disposed');
  });

  test('a signal that is none is refused before anything runs', async () => {
    for (const signal of [{}, null, 'now', { aborted: false, addEventListener: 1 }]) {
      const call = pairwiseDistance(a, b, { device, signal: signal as never });
      await expect(call).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringContaining('signal') });
    }
  });
});
