/** A training run of a test: on ranks under mpirun, or alone. What it comes to is told in a few words that change with any bit. */
import { createHash } from 'node:crypto';
import type { SyncGroup } from '../../src/distributed/index.js';
import { evaluate } from '../../src/evaluation/index.js';
import { Ensemble } from '../../src/models/index.js';
import type { Layer } from '../../src/models/layers.js';
import { networkModel } from '../../src/models/network.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import * as training from '../../src/training/index.js';
import { briefAttacks } from '../evaluation/brief.js';
import { tinyImages } from '../models/tiny-images.js';
import { countedWork, type Work } from './counted-work.js';

const attack = { epsilon: 0.1, steps: 2 };

/** By name, as arguments of a program say them. */
export const METHODS: Record<string, () => training.Method> = {
  standard: () => training.standard({ members: 1 }),
  at: () => training.at({ attack }),
  trades: () => training.trades({ attack }),
  'eat-heads': () => training.eatHeads({ heads: 2, attack: { ...attack, goal: 'training-loss' } }),
  act: () => training.act({ attack }),
  hm: () => training.hm({ members: 2, attack }),
  adp: () => training.adp({ members: 2, attack }),
  gal: () => training.gal({ members: 2, attack }),
  dverge: () => training.dverge({ members: 2, attack }),
  'ensemble-at': () => training.ensembleAt({ members: 2, attack }),
  ...Object.fromEntries(
    (['shared', 'peers', 'mix', 'none', 'one', 'relay', 'pooled'] as const).map((transfer) => [
      `eat-${transfer}`,
      () => training.eat({ members: 3, transfer, attack }),
    ]),
  ),
};

export interface RunOptions {
  method: string;
  norm?: 'none' | 'frozen' | 'batch';
  shards?: number;
  memberGroups?: number;
  seed?: number;
  dataSeed?: number;
  epochs?: number;
  dir?: string;
  resume?: boolean;
  everySteps?: number;
  microBatch?: number;
  batch?: { size: number };
  warmUp?: number;
  clip?: { norm: number };
  ema?: number;
  validation?: boolean;
}

/** Two convolutions, the second by strides, and a dense layer. */
export function smallModel(kind: NonNullable<RunOptions['norm']>) {
  const conv = (i: number, strides: number): Layer => {
    const norm = { name: `norm${i}`, momentum: 0.9, epsilon: 1e-5, frozen: kind === 'frozen' };
    const how = kind === 'none' ? { bias: true } : { norm };
    return {
      type: 'conv',
      name: `conv${i}`,
      filters: 6,
      size: 3,
      strides,
      padding: 'same',
      activation: 'relu',
      ...how,
    };
  };
  const layers: Layer[] = [conv(1, 1), conv(2, 2), { type: 'mean-pool' }, { type: 'dense', name: 'end', units: 5 }];
  return networkModel(`small-${kind}`, {}, layers);
}

export interface TrainedBits {
  losses: number[];
  /** Their bits, and their lengths. */
  weights: string;
  lengths: number[];
  passes: number[];
  validations: unknown;
}

/** 11 images a batch: no number of ranks or shards divides them. */
export async function trainedBits(
  group: SyncGroup | undefined,
  { method, norm = 'none', shards, memberGroups, dataSeed = 7, dir, ...options }: RunOptions,
  more: Partial<training.TrainOptions> = {},
): Promise<TrainedBits> {
  const { everySteps, validation, ...plain } = options;
  const distributed = group && { group, shards, memberGroups };
  const ensemble = await training.train({
    ...{ data: tinyImages({ perClass: 9, seed: dataSeed }), model: smallModel(norm), method: METHODS[method]() },
    ...{ seed: 3, epochs: 2, batch: { size: 11 }, backend: 'native', distributed },
    ...plain,
    ...(validation && { validation: { classes: 0.5, every: 1, attack: { epsilon: 0.1, steps: 2, count: 7 } } }),
    ...(dir && { checkpoint: { dir, everySteps } }),
    ...more,
  });
  const { losses, forwardPasses, gradientEvaluations, validations } = ensemble.history;
  const hash = createHash('sha256');
  const variables = [...ensemble.members.flatMap(({ weights }) => [...weights.values()]), ...ensemble.proxies];
  const lengths = variables.map((variable) => {
    const values = variable.dataSync<'float32'>();
    hash.update(values);
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  });
  ensemble.dispose();
  const passes = [forwardPasses, gradientEvaluations];
  return { losses, weights: hash.digest('hex').slice(0, 16), lengths, passes, validations };
}

/**
 * What an evaluation under attack, and embeddings, come to: all of it but what the clock says; and what this rank did for it. `before` is told of
 * every call of a kernel that clusters or searches.
 */
export async function evaluatedBits(
  group: SyncGroup,
  before?: (kernel: string) => void,
): Promise<{ bits: { report: string; attacks: string[]; embeddings: string }; work: Work }> {
  const images = tinyImages({ perClass: 7 });
  await chooseBackend({ backend: 'native' });
  const members = [1, 2].map((seed) => smallModel('batch').build(images.shape, seed));
  const whole = new Ensemble(members);
  const ensemble = training.ensembleOnRanks(group, whole);
  const { data } = await ensemble.embed(images, { batchSize: 9 });
  const hashOf = (of: Float32Array | string) => createHash('sha256').update(of).digest('hex').slice(0, 16);
  const options = { attacks: briefAttacks(), clusterRestarts: 5, batchSize: 9, backend: 'native' } as const;
  // The clock's, and how many threads a launcher leaves to a rank.
  const isPlace = (key: string, value: unknown) => key === 'seconds' || / threads$/.test(String(value));
  const [found, work] = await countedWork(() => evaluate(ensemble, images, options), before);
  const report = JSON.stringify(found, (key, value) => (isPlace(key, value) ? undefined : value));
  ensemble.dispose();
  // What is left is the caller's.
  whole.dispose();
  // A launcher mixes long lines of ranks.
  const attacks = found.attacks.map(({ name }) => name);
  return { bits: { report: hashOf(report), attacks, embeddings: hashOf(data) }, work };
}
