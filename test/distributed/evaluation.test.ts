import { beforeAll, describe, expect, test } from 'vitest';
import { clusterShared } from '../../src/clustering/cluster-embeddings.js';
import { clusterEmbeddings } from '../../src/clustering/index.js';
import { sourceOf, subset } from '../../src/data/index.js';
import { sharingAmong } from '../../src/distributed/sharing-among.js';
import { type EvaluateOptions, evaluate, evaluateRanking } from '../../src/evaluation/index.js';
import { MeasuredSet } from '../../src/evaluation/measured-set.js';
import { inductiveScores } from '../../src/evaluation/scores.js';
import { type Group, single } from '../../src/index.js';
import type { Ensemble } from '../../src/models/index.js';
import { SharedEnsemble } from '../../src/models/shared-ensemble.js';
import type { Part, Sharing } from '../../src/sharing.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { threeAttacks } from '../evaluation/brief.js';
import { withoutChecks } from '../evaluation/without-checks.js';
import { hasCpu } from '../kernels/support.js';
import { tinyImages } from '../models/tiny-images.js';
import { countedWork, type Work } from './counted-work.js';
import { faults, ranks, values } from './in-memory.js';
import { blobs } from './shard.js';
import { smallModel } from './training.js';

const images = tinyImages({ perClass: 7 });
const rows = (begin: number, end: number) =>
  subset(
    sourceOf(images),
    Int32Array.from({ length: end - begin }, (_, i) => begin + i),
  );

withoutChecks();
beforeAll(async () => {
  if (hasCpu) await chooseBackend({ backend: 'native' });
});

/** Clustering and search by the ranks of a group; images go through the networks of each. */
async function onEach<T>(group: Group, work: (ensemble: Ensemble) => Promise<T>): Promise<T> {
  const members = [1, 2].map((seed) => smallModel('none').build(images.shape, seed));
  const ensemble = new SharedEnsemble(members, undefined, sharingAmong(group));
  try {
    return await work(ensemble);
  } finally {
    ensemble.dispose();
  }
}

/** But for what the clock says. */
const figuresIn = (report: object) =>
  JSON.parse(JSON.stringify(report, (key, value) => (key === 'seconds' ? undefined : value)));

/** Tells in `parts` what is done here, and how many pieces of it. */
function watched(sharing: Sharing, parts: [string, number][]): Sharing {
  const told =
    <T>(what: string, part: Part<T>): Part<T> =>
    (begin, end) => {
      parts.push([what, end - begin]);
      return part(begin, end);
    };
  return {
    parts: (what, pieces, part) => sharing.parts(what, pieces, told(what, part)),
    least: (what, pieces, part, value) => sharing.least(what, pieces, told(what, part), value),
  };
}

/** Of the group of one, and of so many ranks of one process together. */
async function compared(size: number, work: (ensemble: Ensemble) => Promise<object>): Promise<[Work, Work]> {
  const [alone, whole] = await countedWork(() => onEach(single(), work));
  const [all, shared] = await countedWork(async () => values(await ranks(size, (group) => onEach(group, work))));
  for (const one of all) expect(figuresIn(one)).toEqual(figuresIn(alone));
  return [whole, shared];
}

describe.skipIf(!hasCpu)('ranks share clustering and search, and come to the report of one', () => {
  const shared = { attacks: threeAttacks(0.1), bootstrap: 20, backend: 'native' } as const;
  test.each<[string, EvaluateOptions]>([
    ['a set in itself', { ...shared, clusterRestarts: 5, recallAt: [3], partial: [0.2], transfer: true }],
    [
      'in a gallery, beside a reference',
      { ...shared, clusterRestarts: 3, gallery: rows(12, 20), reference: rows(20, 28) },
    ],
  ])('%s', async (_, options) => {
    for (const size of [2, 4]) {
      const [whole, together] = await compared(size, (ensemble) => evaluate(ensemble, rows(0, 12), options));
      // All ranks together do what one does: none of them does what another has done.
      expect(together).toEqual(whole);
      const { distances: _, ...some } = whole;
      for (const count of Object.values(some)) expect(count).toBeGreaterThan(0);
    }
  });

  test.each([2, 4])('RobRank’s measures, %i ranks', async (size) => {
    const options = { steps: 2, backend: 'native' } as const;
    const [whole, together] = await compared(size, (ensemble) => evaluateRanking(ensemble, rows(0, 11), options));
    // Targets are drawn by each rank, from the distances of the clean set.
    expect(together.distances).toBe(whole.distances + 11 * (size - 1));
    expect(whole.distances).toBeGreaterThan(5 * 11);
  });

  test('the best start of k-means is found on whichever rank it is, and of equal ones the first', async () => {
    // Close to one another: no two starts end alike. Far apart: all of them do, but for the numbers of the clusters.
    for (const [points, k, restarts] of [[blobs(300, 6, 40), 23, 8] as const, [blobs(60, 6, 3), 3, 5] as const]) {
      const alone = await clusterEmbeddings(points, { k, restarts, seed: 3 });
      const few = await clusterEmbeddings(points, { k, restarts: 2, seed: 3 });
      expect(few.inertia > alone.inertia).toBe(k === 23);
      for (const size of [2, 4, 7]) {
        const all = await ranks(size, (group) => clusterShared(points, { k, restarts, seed: 3 }, sharingAmong(group)));
        expect(values(all)).toEqual(Array(size).fill(alone));
      }
    }
  });

  test('each rank has about as much to do', async () => {
    const points = blobs(101, 6, 5);
    const labels = Int32Array.from({ length: 101 }, (_, i) => i % 5);
    const each = values(
      await ranks(4, async (group) => {
        const parts: [string, number][] = [];
        const sharing = watched(sharingAmong(group), parts);
        const scoring = { k: 5, seed: 1, clusterRestarts: 20, sharing };
        const set = new MeasuredSet(points, labels, scoring);
        const found = [
          await set.scores(),
          await inductiveScores(points, labels, (await set.clusters()).centroids, scoring),
        ];
        return { parts, found };
      }),
    );
    expect(new Set(each.map(({ found }) => JSON.stringify(found))).size).toBe(1);
    for (const { parts } of each) {
      expect(parts.map(([what]) => what.split(' ')[0])).toEqual(['k-means', 'search', 'assignment']);
      const [starts, queries, assigned] = parts.map(([, pieces]) => pieces);
      expect(starts).toBe(5);
      for (const some of [queries, assigned]) expect(Math.abs(some - 101 / 4)).toBeLessThan(1);
    }
  });

  test.each<[string, (set: MeasuredSet) => Promise<unknown>]>([
    ['clustering', (set) => set.clusters()],
    ['search', (set) => set.retrieval()],
  ])('a signal of one rank ends the %s of all', async (_, work) => {
    const labels = Int32Array.from({ length: 60 }, (_, i) => i % 5);
    const all = await ranks(3, (group) => {
      const signal = group.rank === 1 ? AbortSignal.abort() : undefined;
      const scoring = { k: 5, seed: 1, clusterRestarts: 20, sharing: sharingAmong(group), signal };
      return work(new MeasuredSet(blobs(60, 6, 5), labels, scoring));
    });
    expect(faults(all)).toEqual(Array(3).fill('ERR_ABORTED: On rank 1: The operation was aborted.'));
  });
});
