/** Run as a child with EAT_SIMT_MEMORY: prints a hash of each kernel's results, or the error. */
import { createHash } from 'node:crypto';
import { EatDmlError } from '../../src/errors.js';
import { centroidMeans, kmeans, nearestCentroid, nearestNeighbors, pairwiseDistance } from '../../src/kernels/index.js';
import { normalMatrix } from '../kernels/support.js';
import { LONG } from '../long.js';

const device = 'cuda';
/** A third of the rows in the short form, and less of the memory (device.test.ts). */
const part = LONG ? 1 : 3;
const rows = 900 / part;
const [points, others] = [normalMatrix(rows, 40), normalMatrix(60, 40, { seed: 2 })];
const labels = Int32Array.from({ length: rows }, (_, i) => (i * 7) % 13);

const runs: Record<string, () => Promise<(Float32Array | Float64Array | Int32Array)[]>> = {
  pairwiseDistance: async () => [(await pairwiseDistance(points, others, { device })).data],
  nearestCentroid: async () => Object.values(await nearestCentroid(points, others, { device })),
  nearestNeighbors: async () => Object.values(await nearestNeighbors(points, others, { k: 3, device })),
  'nearestNeighbors, self excluded': async () => {
    const few = { data: points.data.slice(0, (rows / 3) * 40), rows: rows / 3, cols: 40 };
    return Object.values(await nearestNeighbors(few, few, { k: 3, excludeSelf: true, device }));
  },
  centroidMeans: async () => {
    const { sums, counts, means } = await centroidMeans(points, labels, { k: 13, device });
    return [sums, counts, means.data];
  },
  kmeans: async () => {
    // Its points take more than the memory of the tiled run: they are streamed through every iteration.
    const { labels, centroids, counts } = await kmeans(normalMatrix(Math.ceil(2550 / part), 40), {
      k: 6,
      init: 'random',
      seed: 1,
      ...(!LONG && { maxIterations: 4 }),
      device,
    });
    return [labels, centroids.data, counts];
  },
};

const out: Record<string, string> = {};
for (const [name, run] of Object.entries(runs)) {
  try {
    const hash = createHash('sha1');
    for (const { buffer, byteOffset, byteLength } of await run())
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    out[name] = hash.digest('hex');
  } catch (error) {
    if (!(error instanceof EatDmlError)) throw error;
    out[name] = `${error.code}: ${error.message}`;
  }
}
process.stdout.write(JSON.stringify(out));
