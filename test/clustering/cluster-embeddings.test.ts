import { describe, expect, test } from 'vitest';
import { type ClusterOptions, clusterEmbeddings } from '../../src/clustering/cluster-embeddings.js';
import { clusteringScores } from '../../src/clustering/clustering-scores.js';
import { kmeans, type Matrix } from '../../src/kernels/index.js';
import { randomStream } from '../../src/random.js';

/** `classes` blobs of unit variance around corners far apart. */
function blobs(classes: number, each: number): { points: Matrix; labels: number[] } {
  const random = randomStream(11, 'blobs');
  const labels = Array.from({ length: classes * each }, (_, i) => i % classes);
  const rows = labels.map((label) => Array.from({ length: 6 }, (_, c) => random.normal() + (c === label ? 40 : 0)));
  return { points: { data: Float32Array.from(rows.flat()), rows: rows.length, cols: 6 }, labels };
}

describe('clusterEmbeddings', () => {
  const { points, labels } = blobs(5, 30);

  test('finds blobs that lie apart', async () => {
    const { labels: clusters, counts, centroids } = await clusterEmbeddings(points, { k: 5 });
    expect(clusteringScores(labels, clusters).nmi).toBe(1);
    expect([...counts]).toEqual([30, 30, 30, 30, 30]);
    expect([centroids.rows, centroids.cols]).toEqual([5, 6]);
  });

  test('the seed decides, and more restarts are never worse', async () => {
    const once = await clusterEmbeddings(points, { k: 12, seed: 3, restarts: 1 });
    const again = await clusterEmbeddings(points, { k: 12, seed: 3, restarts: 1 });
    expect(again.labels).toEqual(once.labels);
    const best = await clusterEmbeddings(points, { k: 12, seed: 3, restarts: 6 });
    expect(best.inertia).toBeLessThanOrEqual(once.inertia);
  });

  test('is the kernel, started by k-means++', async () => {
    const options = { k: 4, seed: 8, restarts: 2, maxIterations: 7 };
    const direct = await kmeans(points, { ...options, init: 'k-means++' });
    expect(await clusterEmbeddings(points, options)).toEqual(direct);
  });

  test.each([
    [{ k: 0 }, /\bk\b/],
    [{ k: 151 }, /\bk\b/],
    [{ k: 2, clusters: 3 }, /but received "clusters"/],
  ])('refuses %j', async (options, message) => {
    const call = clusterEmbeddings(points, options as ClusterOptions);
    await expect(call).rejects.toThrow(message);
  });
});
