import { describe, expect, it } from 'vitest';
import { clusterEmbeddings, clusteringScores, retrievalScores, scoreEmbeddings } from '../../src/clustering/index.js';
import { randomStream } from '../../src/random.js';

const random = randomStream(4, 'scores');
const set = (rows: number, classes: number) => {
  const labels = Int32Array.from({ length: rows }, (_, i) => (i % classes) - 1);
  const data = Float32Array.from(
    { length: rows * 6 },
    (_, i) => (labels[Math.floor(i / 6)] % (1 + (i % 6))) + random.normal(),
  );
  return { embeddings: { data, rows, cols: 6 }, labels };
};

describe('scoreEmbeddings', () => {
  it('gives the scores of clustering and retrieval', async () => {
    const { embeddings, labels } = set(60, 5);
    const { clustering, retrieval } = await scoreEmbeddings(embeddings, labels, { seed: 3, recallAt: [1, 5] });
    const { labels: clusters, inertia } = await clusterEmbeddings(embeddings, { k: 5, restarts: 5, seed: 3 });
    expect(clustering).toEqual({ k: 5, restarts: 5, inertia, ...clusteringScores(labels, clusters) });
    expect(retrieval).toEqual(await retrievalScores(embeddings, labels, { recallAt: [1, 5] }));
  });

  it('searches a gallery, and clusters queries and gallery together', async () => {
    const [{ embeddings, labels }, gallery] = [set(20, 4), set(30, 5)];
    const { clustering, retrieval } = await scoreEmbeddings(embeddings, labels, { gallery });
    const data = Float32Array.of(...embeddings.data, ...gallery.embeddings.data);
    const { labels: clusters } = await clusterEmbeddings({ data, rows: 50, cols: 6 }, { k: 5, restarts: 5, seed: 0 });
    expect(clustering).toMatchObject(clusteringScores([...labels, ...gallery.labels], clusters));
    expect(retrieval).toEqual(await retrievalScores(embeddings, labels, { gallery }));
  });

  it('clusters where nothing can be found', async () => {
    const { embeddings } = set(6, 6);
    const { clustering, retrieval } = await scoreEmbeddings(embeddings, [1, 2, 3, 4, 5, 6], { k: 2, restarts: 3 });
    expect(clustering).toMatchObject({ k: 2, restarts: 3 });
    expect(retrieval).toBeNull();
    const gallery = { embeddings, labels: [7, 7, 8, 8, 9, 9] };
    expect((await scoreEmbeddings(embeddings, [1, 1, 1, 1, 1, 1], { gallery })).retrieval).toBeNull();
  });

  it('takes one start of more than 1,000 clusters, unless more are asked for', async () => {
    const data = Float32Array.from({ length: 1200 }, () => random.normal());
    const labels = Int32Array.from({ length: 1200 }, (_, i) => Math.floor(i / 1.1));
    const { clustering } = await scoreEmbeddings({ data, rows: 1200, cols: 1 }, labels);
    expect(clustering).toMatchObject({ k: new Set(labels).size, restarts: 1 });
  });

  it.each([
    ['a label too few', () => scoreEmbeddings(set(6, 2).embeddings, [1, 2]), /6 values in labels/],
    [
      'other columns',
      () =>
        scoreEmbeddings(set(6, 2).embeddings, [1, 1, 1, 1, 1, 1], {
          gallery: { embeddings: { data: new Float32Array(4), rows: 2, cols: 2 }, labels: [1, 1] },
        }),
      /6 columns in gallery.embeddings/,
    ],
    [
      'an unknown option',
      () => scoreEmbeddings(set(6, 2).embeddings, set(6, 2).labels, { recall: [1] } as never),
      /recallAt/,
    ],
  ])('refuses %s', async (_, call, message) => {
    await expect(call()).rejects.toMatchObject({ name: 'EatDmlError', message: expect.stringMatching(message) });
  });
});
