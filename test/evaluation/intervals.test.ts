import { describe, expect, it } from 'vitest';
import { clusteringScores } from '../../src/clustering/clustering-scores.js';
import { clustered } from '../../src/clustering/resampled.js';
import { MeasuredSet } from '../../src/evaluation/measured-set.js';
import { type Intervals, intervalsPart } from '../../src/evaluation/protocols/intervals.js';
import type { ProtocolRun } from '../../src/evaluation/protocols/protocol.js';
import { type RandomStream, randomStream } from '../../src/random.js';
import { LONG } from '../long.js';

/** Points on a line at their cluster's number, so that k-means finds the clusters that are meant. */
function setOf(labels: number[], clusters: number[]): MeasuredSet {
  const data = Float32Array.from(clusters.flatMap((cluster, i) => [Math.cos(cluster), Math.sin(cluster) + 1e-5 * i]));
  const scoring = { k: new Set(clusters).size, seed: 1, clusterRestarts: 20 };
  return new MeasuredSet({ data, rows: labels.length, cols: 2 }, Int32Array.from(labels), scoring);
}

async function intervalsOf(set: MeasuredSet, bootstrap = 400, seed = 3, signal?: AbortSignal): Promise<Intervals> {
  const protocol = intervalsPart.make({ bootstrap });
  const run = { clean: set, scoring: { seed, signal } } as unknown as ProtocolRun;
  const observer = await protocol(run);
  return (await observer!.end!()).intervals!;
}

/** Classes 0 to 3; the cluster is the class seven times in ten, else any. */
function drawn(n: number, random: RandomStream): [labels: number[], clusters: number[]] {
  const labels = Array.from({ length: n }, () => random.integer(4));
  return [labels, labels.map((label) => (random.uniform() < 0.7 ? label : random.integer(4)))];
}

describe('intervals by bootstrap', () => {
  it('hold the mean score of such sets in 95 of 100 of them', async () => {
    const n = 80;
    const random = randomStream(1, 'populations');
    const mean = { nmi: 0, purity: 0 };
    const rounds = LONG ? 4000 : 1000;
    for (let i = 0; i < rounds; i++) {
      const { nmi, purity } = clusteringScores(...drawn(n, random));
      mean.nmi += nmi / rounds;
      mean.purity += purity / rounds;
    }
    const held = { nmi: 0, purity: 0 };
    for (let i = 0; i < 200; i++) {
      const intervals = await intervalsOf(setOf(...drawn(n, random)), 200, i);
      for (const metric of ['nmi', 'purity'] as const) {
        const [low, high] = intervals[metric]!;
        if (low <= mean[metric] && mean[metric] <= high) held[metric]++;
      }
    }
    // 190 are meant: two sd of a share of 200 are 6, and the interval of a bootstrap is a little narrow at 80 images.
    for (const count of Object.values(held)) {
      expect(count).toBeGreaterThanOrEqual(178);
      expect(count).toBeLessThanOrEqual(199);
    }
  });

  it('are those of a share where each query is found or not', async () => {
    // The nearest of each image is its neighbour in its cluster: found where that is of its class.
    const labels = Array.from({ length: 200 }, (_, i) => (i % 10 < 6 ? 0 : i % 2));
    const set = setOf(
      labels,
      labels.map((_, i) => Math.floor(i / 50)),
    );
    const share = (await set.scores()).recallAt1!;
    const [low, high] = (await intervalsOf(set, 2000)).recallAt1!;
    const half = 1.96 * Math.sqrt((share * (1 - share)) / 200);
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.9);
    expect((high - low) / 2 / half).toBeGreaterThan(0.9);
    expect((high - low) / 2 / half).toBeLessThan(1.1);
    expect((high + low) / 2).toBeCloseTo(share, 1);
  });

  it('are the same for the same seed, a point where nothing varies, and end at a signal', async () => {
    const [labels, clusters] = drawn(60, randomStream(5, 'one'));
    expect(await intervalsOf(setOf(labels, clusters))).toEqual(await intervalsOf(setOf(labels, clusters)));
    const perfect = await intervalsOf(setOf(labels, labels));
    expect([perfect.nmi, perfect.purity, perfect.recallAt1]).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    const late = AbortSignal.timeout(50);
    await expect(intervalsOf(setOf(labels, clusters), 1e9, 3, late)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});

it('a resample has the table of the drawn samples', () => {
  const [labels, clusters] = drawn(50, randomStream(8, 'table'));
  const { table } = clustered(Int32Array.from(labels), Int32Array.from(clusters));
  for (let seed = 0; seed < 20; seed++) {
    const { total, rows, cols, counts, classSizes, clusterSizes } = table(randomStream(seed, 'drawn'));
    const sizes = [classSizes.map(() => 0), clusterSizes.map(() => 0)];
    for (const [cell, count] of counts.entries()) {
      sizes[0][rows[cell]] += count;
      sizes[1][cols[cell]] += count;
    }
    expect(total).toBe(50);
    expect(sizes).toEqual([classSizes, clusterSizes]);
    expect(classSizes.concat(clusterSizes, counts).every((size) => size > 0)).toBe(true);
  }
});
