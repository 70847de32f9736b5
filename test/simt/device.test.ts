import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { resolveDevice } from '../../src/kernels/devices.js';
import {
  attackStep,
  centroidMeans,
  devices,
  kmeans,
  kmeansSync,
  type Matrix,
  nearestCentroid,
  nearestCentroidSync,
  nearestNeighbors,
  pairwiseDistance,
  uploadMatrix,
} from '../../src/kernels/index.js';
import { hasCpu, normalMatrix } from '../kernels/support.js';
import { LONG } from '../long.js';
import { program } from '../program.js';
import { describeSimt } from './addon.js';

const tiles = await program('test/simt/run-tiles.ts');

const device = 'cuda';
const bad = (m: Matrix, row: number): Matrix => {
  const data = m.data.slice();
  data[row * m.cols + 1] = Number.NaN;
  data[data.length - 1] = Number.POSITIVE_INFINITY;
  return { ...m, data };
};

describeSimt('device cuda', () => {
  test('says that it is an emulator, and auto does not take it', () => {
    expect(devices()[0]).toMatchObject({ name: 'cuda', available: true, isa: 'simt emulator', byNameOnly: true });
    expect(resolveDevice('auto')?.info().isa).not.toBe('simt emulator');
  });

  test('a kernel that it lacks is refused in one sentence', () => {
    expect(() => resolveDevice(device, 'matmul')).toThrow('Device cuda has no matmul: use device auto or cpu for it.');
  });

  test('the first bad row is named', async () => {
    const [points, good] = [normalMatrix(30, 5), normalMatrix(7, 5, { seed: 2 })];
    const labels = new Int32Array(30);
    const message = 'Expected finite values in points but received NaN in row 11.';
    await expect(nearestCentroid(bad(points, 11), good, { device })).rejects.toMatchObject({ message });
    await expect(centroidMeans(bad(points, 11), labels, { k: 1, device })).rejects.toMatchObject({ message });
    await expect(kmeans(bad(points, 11), { k: 3, device })).rejects.toMatchObject({ message });
    await expect(kmeans(points, { init: bad(good, 2), device })).rejects.toMatchObject({
      message: 'Expected finite values in init but received NaN in row 2.',
    });
    expect(() => uploadMatrix(bad(points, 4), { device })).toThrow('in matrix but received NaN in row 4');
  });

  test('a batch is its matrices one by one, bit for bit', async () => {
    const points = normalMatrix(90, 17, { batch: 2 });
    const labels = Int32Array.from({ length: 180 }, (_, i) => (i * 5) % 4);
    const whole = await centroidMeans(points, labels, { k: 4, device });
    for (let b = 0; b < 2; b++) {
      const one = { data: points.data.slice(b * 90 * 17, (b + 1) * 90 * 17), rows: 90, cols: 17 };
      const { sums } = await centroidMeans(one, labels.slice(b * 90, (b + 1) * 90), { k: 4, device });
      expect(sums).toEqual(whole.sums.slice(b * 4 * 17, (b + 1) * 4 * 17));
    }
  });

  test('k-means has the labels of the CPU, iteration by iteration, and tells of each', async () => {
    const points = normalMatrix(400, 24);
    const seen: number[] = [];
    const options = { k: 12, seed: 3, maxIterations: 7 };
    const onIteration = ({ changed }: { changed: number }) => seen.push(changed);
    const result = await kmeans(points, { ...options, device, onIteration });
    const expected: number[] = [];
    const reference = await kmeans(points, {
      ...options,
      device: 'js',
      onIteration: ({ changed }) => expected.push(changed),
    });
    expect(result.labels).toEqual(reference.labels);
    expect(seen).toEqual(expected);
  });

  test('means by label have the bits of the CPU: the same segments, in the same order', async () => {
    const points = normalMatrix(3000, 7);
    const labels = Int32Array.from({ length: 3000 }, (_, i) => (i * 7 + (i % 5)) % 3);
    const weights = Float32Array.from({ length: 3000 }, (_, i) => (i % 4) / 3);
    const cuda = await centroidMeans(points, labels, { k: 3, weights, device });
    if (hasCpu) expect(cuda).toEqual(await centroidMeans(points, labels, { k: 3, weights, device: 'cpu' }));
    expect(cuda).toEqual(await centroidMeans(points, labels, { k: 3, weights, device }));
  });

  test('k-means++ draws the last row where every distance is 0, as the others do', async () => {
    const points = { data: new Float32Array(1100 * 2).fill(0.5), rows: 1100, cols: 2 };
    const options = { k: 5, maxIterations: 1 };
    const { labels, counts } = await kmeans(points, { ...options, device });
    const reference = await kmeans(points, { ...options, device: 'js' });
    expect({ labels, counts }).toEqual({ labels: reference.labels, counts: reference.counts });
  });

  test('concurrent calls give what one gives', async () => {
    const [a, b] = [normalMatrix(60, 20), normalMatrix(40, 20, { seed: 2 })];
    const one = await pairwiseDistance(a, b, { device });
    const together = await Promise.all([1, 2, 3].map(() => pairwiseDistance(a, b, { device })));
    for (const each of together) expect(each.data).toEqual(one.data);
  });

  test('an aborted k-means ends between iterations', async () => {
    const controller = new AbortController();
    const call = kmeans(normalMatrix(300, 4), {
      k: 20,
      init: 'random',
      restarts: 200,
      device,
      signal: controller.signal,
      onIteration: () => controller.abort(),
    });
    await expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});

describeSimt('a matrix that stays on the device', () => {
  test('serves many calls with the bits of one that is copied', async () => {
    const [points, centroids] = [normalMatrix(120, 19), normalMatrix(9, 19, { seed: 2 })];
    const there = uploadMatrix(points, { device });
    expect(there.device).toBe('cuda');
    expect(await nearestCentroid(there, centroids, { device })).toEqual(
      await nearestCentroid(points, centroids, { device }),
    );
    expect(await pairwiseDistance(there, there, { device })).toEqual(
      await pairwiseDistance(points, points, { device }),
    );
    const neighbors = { k: 3, excludeSelf: true, device } as const;
    expect(await nearestNeighbors(there, there, neighbors)).toEqual(await nearestNeighbors(points, points, neighbors));
    expect(kmeansSync(there, { k: 4, device })).toEqual(kmeansSync(points, { k: 4, device }));
    there.dispose();
  });

  test('is not copied again: the values on the device count', async () => {
    const points = normalMatrix(40, 6);
    const there = uploadMatrix(points, { device });
    const before = nearestCentroidSync(there, normalMatrix(3, 6, { seed: 2 }), { device });
    points.data.fill(0);
    expect(nearestCentroidSync(there, normalMatrix(3, 6, { seed: 2 }), { device })).toEqual(before);
  });

  test('is the host’s matrix on the other devices', () => {
    const points = normalMatrix(40, 6);
    const there = uploadMatrix(points, { device });
    expect(nearestCentroidSync(there, points, { device: 'js' })).toEqual(
      nearestCentroidSync(points, points, { device: 'js' }),
    );
    const here = uploadMatrix(points, { device: 'js' });
    expect(here.device).toBe('js');
  });

  test('refuses to be used once disposed, while a call that has it ends well', async () => {
    const points = normalMatrix(200, 30);
    const there = uploadMatrix(points, { device });
    const running = pairwiseDistance(there, there, { device });
    there.dispose();
    expect(await running).toEqual(await pairwiseDistance(points, points, { device }));
    await expect(pairwiseDistance(there, points, { device })).rejects.toThrow(
      'Expected a matrix for a but received one that is disposed.',
    );
  });

  test('attack steps take it too', async () => {
    const x = normalMatrix(4, 9);
    const o = {
      current: x,
      gradient: normalMatrix(4, 9, { seed: 2 }),
      norm: 'linf',
      epsilon: 0.1,
      stepSize: 0.02,
    } as const;
    const there = await attackStep({ ...o, origin: uploadMatrix(x, { device }), device });
    expect(there).toEqual(await attackStep({ ...o, origin: x, device }));
    expect('resident' in there).toBe(false);
  });
});

describeSimt('a device with little memory', () => {
  const run = (memory: string) => {
    const env = { ...process.env, EAT_SIMT_MEMORY: memory };
    const child = spawnSync(process.execPath, [tiles], { env, encoding: 'utf8' });
    expect(child.status, child.stderr).toBe(0);
    return JSON.parse(child.stdout) as Record<string, string>;
  };

  test('works in tiles, to the same bits', () => {
    expect(run(LONG ? '400000' : '60000')).toEqual(run('1000000000'));
  });

  test('says so where not even one row fits', () => {
    expect(run('2000').pairwiseDistance).toBe('ERR_DEVICE: Not enough memory for pairwiseDistance.');
  });
});
