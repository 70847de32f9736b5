import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RetrievalOptions, type RetrievalScores, retrievalScores } from '../../src/clustering/retrieval-scores.js';
import type { Matrix } from '../../src/kernels/index.js';
import goldens from '../goldens/metrics.json' with { type: 'json' };

function matrix(rows: number[][]): Matrix {
  return { data: Float32Array.from(rows.flat()), rows: rows.length, cols: rows[0].length };
}

/** Points on a line: the nearest neighbours can be read off. */
const line = (...at: number[]) => matrix(at.map((x) => [x, 0]));

/** The definitions, one query after the other, with a full sort. */
function bruteForce(
  queries: Matrix,
  labels: number[],
  gallery: Matrix,
  galleryLabels: number[],
  selfOf: (q: number) => number,
  recallAt: number[],
): RetrievalScores {
  const rows: { ap: number; rp: number; p1: number; recall: number[] }[] = [];
  for (let q = 0; q < queries.rows; q++) {
    const distance = (g: number) => {
      let sum = 0;
      for (let c = 0; c < queries.cols; c++) {
        sum += (queries.data[q * queries.cols + c] - gallery.data[g * queries.cols + c]) ** 2;
      }
      return sum;
    };
    const candidates = galleryLabels.map((_, g) => g).filter((g) => g !== selfOf(q));
    const ranked = candidates.sort((a, b) => distance(a) - distance(b) || a - b);
    const relevant = ranked.map((g) => galleryLabels[g] === labels[q]);
    const r = relevant.filter(Boolean).length;
    if (r === 0) continue;
    const hitsUpTo = (n: number) => relevant.slice(0, n).filter(Boolean).length;
    const precisions = relevant.slice(0, r).map((hit, i) => (hit ? hitsUpTo(i + 1) / (i + 1) : 0));
    rows.push({
      ap: precisions.reduce((a, b) => a + b, 0) / r,
      rp: hitsUpTo(r) / r,
      p1: hitsUpTo(1),
      recall: recallAt.map((k) => Math.min(1, hitsUpTo(k))),
    });
  }
  const mean = (of: (row: (typeof rows)[0]) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  return {
    recallAt: Object.fromEntries(recallAt.map((k, i) => [k, mean((row) => row.recall[i])])),
    mapAtR: mean((row) => row.ap),
    rPrecision: mean((row) => row.rp),
    precisionAt1: mean((row) => row.p1),
    queries: rows.length,
  };
}

function expectScores(actual: RetrievalScores, expected: Omit<RetrievalScores, 'queries'>): void {
  for (const name of ['mapAtR', 'rPrecision', 'precisionAt1'] as const) {
    expect(Math.abs(actual[name] - expected[name]), name).toBeLessThan(1e-9);
  }
  expect(Object.keys(actual.recallAt)).toEqual(Object.keys(expected.recallAt));
  for (const [k, value] of Object.entries(expected.recallAt)) {
    expect(Math.abs(actual.recallAt[Number(k)] - value), `recall@${k}`).toBeLessThan(1e-9);
  }
}

test.each(goldens.retrieval.map((golden, i) => [i, golden] as const))(
  'pytorch-metric-learning %i',
  async (_, golden) => {
    const scores = await retrievalScores(matrix(golden.embeddings), golden.labels, { recallAt: [1, 2, 4, 8] });
    expectScores(scores, golden);
    expect(scores.queries).toBe(golden.labels.length);
  },
);

// Small integers as coordinates: distances are exact, and many of them are tied.
const points = fc.tuple(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 3 })).chain(([rows, cols]) =>
  fc.record({
    embeddings: fc
      .array(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: cols, maxLength: cols }), {
        minLength: rows,
        maxLength: rows,
      })
      .map(matrix),
    labels: fc.array(fc.integer({ min: -2, max: 3 }), { minLength: rows, maxLength: rows }),
    moved: fc.array(fc.integer({ min: -1, max: 1 }), { minLength: rows * cols, maxLength: rows * cols }),
  }),
);

describe('against the definitions, ties by lowest row', () => {
  test('leave-one-out', async () => {
    await fc.assert(
      fc.asyncProperty(points, async ({ embeddings, labels }) => {
        fc.pre(new Set(labels).size < labels.length);
        const expected = bruteForce(embeddings, labels, embeddings, labels, (q) => q, [1, 3, 100]);
        const actual = await retrievalScores(embeddings, labels, { recallAt: [1, 3, 100] });
        expectScores(actual, expected);
        expect(actual.queries).toBe(expected.queries);
      }),
    );
  });

  test('attacked queries against the clean gallery they were made from', async () => {
    await fc.assert(
      fc.asyncProperty(points, async ({ embeddings, labels, moved }) => {
        fc.pre(new Set(labels).size < labels.length);
        const attacked = { ...embeddings, data: embeddings.data.map((x, i) => x + moved[i]) };
        const expected = bruteForce(attacked, labels, embeddings, labels, (q) => q, [1, 2, 4, 8]);
        const gallery = { embeddings, labels, selfIndex: 'same-row' as const };
        expectScores(await retrievalScores(attacked, labels, { gallery }), expected);
      }),
    );
  });

  test('a gallery of others, with and without own rows in it', async () => {
    await fc.assert(
      fc.asyncProperty(points, points, fc.boolean(), async (a, b, own) => {
        fc.pre(a.embeddings.cols === b.embeddings.cols);
        const selfIndex = a.labels.map((_, q) => (q % 3 === 0 ? -1 : q % b.labels.length));
        const selfOf = (q: number) => (own ? selfIndex[q] : -1);
        const expected = bruteForce(a.embeddings, a.labels, b.embeddings, b.labels, selfOf, [1, 2]);
        fc.pre(expected.queries > 0);
        const gallery = { embeddings: b.embeddings, labels: b.labels, selfIndex: own ? selfIndex : undefined };
        const actual = await retrievalScores(a.embeddings, a.labels, { gallery, recallAt: [1, 2] });
        expectScores(actual, expected);
        expect(actual.queries).toBe(expected.queries);
      }),
    );
  });
});

describe('what is counted', () => {
  test('a label that occurs once is no query, but stays a candidate', async () => {
    // Row 2 (alone in its class) is the nearest of rows 1 and 3.
    const scores = await retrievalScores(line(0, 2, 3, 4, 5.5), [0, 0, 9, 1, 1], { recallAt: [1, 2] });
    expect(scores.queries).toBe(4);
    expect(scores.precisionAt1).toBe(0.5);
    expect(scores.recallAt).toEqual({ 1: 0.5, 2: 1 });
  });

  test('a clean twin in the gallery is never what an attacked query retrieves', async () => {
    const clean = line(0, 1, 10, 11);
    const labels = [0, 0, 1, 1];
    const crossed = line(9.9, 0.9, 10.2, 11.1);
    const same = await retrievalScores(crossed, labels, {
      gallery: { embeddings: clean, labels, selfIndex: 'same-row' },
    });
    expect(same.precisionAt1).toBe(0.75);
    const twins = await retrievalScores(clean, labels, { gallery: { embeddings: clean, labels } });
    expect(twins.precisionAt1).toBe(1);
    const apart = await retrievalScores(clean, [0, 1, 0, 1], {
      gallery: { embeddings: clean, labels: [0, 1, 0, 1], selfIndex: 'same-row' },
    });
    expect(apart.precisionAt1).toBe(0);
  });

  test('many copies of one point do not hide the own row', async () => {
    const copies = line(...new Array(30).fill(1), 5);
    const labels = [...new Array(15).fill(0), ...new Array(15).fill(1), 0];
    const scores = await retrievalScores(copies, labels);
    expectScores(
      scores,
      bruteForce(copies, labels, copies, labels, (q) => q, [1, 2, 4, 8]),
    );
  });

  test('queries are worked off in blocks without a seam', async () => {
    // 3000 rows of 2 classes want 1500 neighbours each: more than one block of four million entries.
    const at = Array.from({ length: 3000 }, (_, i) => (i % 2) * 10_000 + i);
    const scores = await retrievalScores(
      line(...at),
      at.map((x) => (x < 5000 ? 0 : 1)),
    );
    expect(scores).toMatchObject({ mapAtR: 1, rPrecision: 1, precisionAt1: 1, queries: 3000 });
  });
});

describe('bad input', () => {
  const four = line(0, 1, 2, 3);
  const labels = [0, 0, 1, 1];
  const withGallery = (change: object) => ({ gallery: { embeddings: four, labels, ...change } });
  test.each([
    ['lengths differ', four, [0, 0, 1], {}, 'Expected 4 values in labels but received 3.'],
    ['a NaN label', four, [0, 0, 1, NaN], {}, 'Expected an integer for labels[3] but received NaN.'],
    ['every label once', four, [0, 1, 2, 3], {}, /at least one query with another sample of its class/],
    ['no matrix', [[1]], labels, {}, /matrix \{data/],
    ['an empty matrix', { data: new Float32Array(0), rows: 0, cols: 2 }, [], {}, /embeddings\.rows/],
    ['a batch', { data: new Float32Array(8), rows: 2, cols: 2, batch: 2 }, [0, 0], {}, /embeddings\.batch/],
    ['K of 0', four, labels, { recallAt: [1, 0] }, 'Expected a positive integer for recallAt[1] but received 0.'],
    ['no K', four, labels, { recallAt: [] }, /recallAt but received an array of length 0/],
    ['an unknown option', four, labels, { recall: [1] }, /but received "recall"/],
    [
      'gallery labels',
      four,
      labels,
      withGallery({ labels: [1] }),
      'Expected 4 values in gallery.labels but received 1.',
    ],
    [
      'gallery cols',
      four,
      labels,
      withGallery({ embeddings: matrix([[1], [2], [3], [4]]) }),
      /queries' 2 .* received 1/,
    ],
    ['a short gallery', line(0, 1, 2, 3, 4), [0, 0, 1, 1, 1], withGallery({ selfIndex: 'same-row' }), /queries' 5/],
    [
      'selfIndex length',
      four,
      labels,
      withGallery({ selfIndex: [0] }),
      'Expected 4 values in gallery.selfIndex but received 1.',
    ],
    ['selfIndex range', four, labels, withGallery({ selfIndex: [0, 1, 4, 3] }), /selfIndex\[2\] but received 4/],
    ['no common class', four, labels, withGallery({ labels: [5, 5, 5, 5] }), /at least one query/],
  ])('%s', async (_, embeddings, given, options, message) => {
    const call = retrievalScores(embeddings as Matrix, given, options as RetrievalOptions);
    const said = typeof message === 'string' ? message : expect.stringMatching(message);
    await expect(call).rejects.toMatchObject({ name: 'EatDmlError', code: 'ERR_ARGUMENT', message: said });
  });

  test('NaN in a row is named, in queries and gallery', async () => {
    const bad = line(0, 1, NaN, 3);
    const error = (name: string) => ({ code: 'ERR_NOT_FINITE', message: expect.stringMatching(`${name} .*row 2`) });
    await expect(retrievalScores(bad, labels)).rejects.toMatchObject(error('embeddings'));
    const gallery = { embeddings: bad, labels };
    await expect(retrievalScores(four, labels, { gallery })).rejects.toMatchObject(error('gallery.embeddings'));
  });

  test('an aborted signal ends it', async () => {
    const signal = AbortSignal.abort();
    await expect(retrievalScores(four, labels, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
