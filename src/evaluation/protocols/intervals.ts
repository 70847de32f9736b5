import { z } from 'zod';
import type { Found } from '../../clustering/found.js';
import { type Clustered, clustered } from '../../clustering/resampled.js';
import { throwIfAborted } from '../../errors.js';
import { atLeast, parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { type RandomStream, randomStream } from '../../random.js';
import type { MeasuredSet } from '../measured-set.js';
import { METRICS, type MetricName, type Scores } from '../scores.js';
import type { Protocol } from './protocol.js';

/** The ends of a 95% interval by the metric; null where it is not defined. AMI has none: its expectation would be summed up for every resample. */
export type Intervals = Partial<Record<MetricName, readonly [low: number, high: number] | null>>;

export interface OfBoth {
  /** How far chance in which images were measured moves each score; of the attack, or in the report of the clean images. */
  intervals?: Intervals;
}

/** Resamples between which other work has a turn. */
const TURN = 50;
const TAIL = 0.025;
const SHOWN = METRICS.filter((metric) => metric !== 'ami');

type Resampled = Partial<Record<MetricName, number>>;

/**
 * By bootstrap over images: as many are drawn with replacement, their clusters and searches as they were found (neither
 * k-means nor attack is run anew), and scored. The middle 95% of these scores, moved back by what resampling does to them on
 * average: images that were drawn twice agree with themselves, which raises NMI.
 */
async function intervalsOf(
  set: MeasuredSet,
  resamples: number,
  random: RandomStream,
  signal?: AbortSignal,
): Promise<Intervals> {
  const scores = await set.scores();
  const clusters = clustered(set.clusteredLabels(), (await set.clusters()).labels);
  const found = (await set.retrieval())?.found;
  const drawn: Resampled[] = [];
  for (let i = 0; i < resamples; i++) {
    drawn.push({ ...ofClusters(clusters, random), ...(found && ofFound(found, random)) });
    if (i % TURN === 0) await new Promise(setImmediate);
    throwIfAborted(signal);
  }
  return Object.fromEntries(SHOWN.map((metric) => [metric, middleOf(scores, drawn, metric)]));
}

function middleOf(scores: Scores, drawn: readonly Resampled[], metric: MetricName): [number, number] | null {
  const score = scores[metric];
  if (score === null) return null;
  const values = Float64Array.from(drawn, (resampled) => resampled[metric]!).sort();
  const bias = values.reduce((sum, value) => sum + value, 0) / values.length - score;
  const at = (share: number) => values[Math.round(share * (values.length - 1))];
  const within = (value: number) => Math.min(1, Math.max(metric === 'ari' ? -1 : 0, value));
  return [within(at(TAIL) - bias), within(at(1 - TAIL) - bias)];
}

function ofClusters(clusters: Clustered, random: RandomStream): Resampled {
  const { nmi, ari, pairwiseF1, purity } = clusters.scores(random);
  return { nmi, ari, f1: pairwiseF1, purity };
}

/** The means over as many queries, drawn with replacement among those that count. */
function ofFound({ counted, first, averagePrecision, rPrecision }: Found, random: RandomStream): Resampled {
  const queries = counted.reduce((sum, one) => sum + one, 0);
  const sums = { recallAt1: 0, recallAt2: 0, recallAt4: 0, recallAt8: 0, mapAtR: 0, rPrecision: 0 };
  for (let drawn = 0; drawn < queries; ) {
    const q = random.integer(counted.length);
    if (counted[q] === 0) continue;
    drawn++;
    if (first[q] < 1) sums.recallAt1++;
    if (first[q] < 2) sums.recallAt2++;
    if (first[q] < 4) sums.recallAt4++;
    if (first[q] < 8) sums.recallAt8++;
    sums.mapAtR += averagePrecision[q];
    sums.rPrecision += rPrecision[q];
  }
  return Object.fromEntries(Object.entries(sums).map(([metric, sum]) => [metric, sum / queries]));
}

const intervalOptions = z.strictObject({
  bootstrap: atLeast(0, 'an integer >= 0')
    .default(1000)
    .describe('resamples of the images for 95% intervals of all scores but AMI; 0 for none'),
});

export const intervalsPart = part(
  'intervals',
  '95% intervals of the scores, by bootstrap over images',
  intervalOptions,
  (options): Protocol<OfBoth, OfBoth> => {
    const { bootstrap } = parseOptions(intervalOptions, options);
    return async ({ clean, scoring: { seed, signal } }) => {
      if (bootstrap === 0) return undefined;
      const of = (set: MeasuredSet) => intervalsOf(set, bootstrap, randomStream(seed, 'bootstrap'), signal);
      const ofClean = await of(clean);
      return {
        attacked: async (set) => ({ intervals: await of(set) }),
        notRun: { intervals: Object.fromEntries(SHOWN.map((metric) => [metric, null])) },
        end: async () => ({ intervals: ofClean }),
      };
    };
  },
);
