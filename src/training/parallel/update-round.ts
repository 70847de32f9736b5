import * as tf from '#tf';
import { distributedError } from '../../distributed/group.js';
import { togetherNow } from '../../distributed/together.js';
import type { Passes } from '../../models/counted.js';
import { embedderWith } from '../../models/embedder.js';
import type { Embedder } from '../../models/index.js';
import { FlatGradients } from './flat-gradients.js';
import type { Grid } from './grid.js';

/** A loss and its gradients, as tf.variableGrads gives them. */
export type Gradients = ReturnType<typeof tf.variableGrads>;

/** A member that one team of the round updates. */
export interface Updating {
  member: number;
  /** What it may have gradients by. */
  moving: readonly tf.Variable[];
  embedder: Embedder;
}

/** The members that are updated at the same time, each by a team of its own. Of one team: one after the other. */
export function roundsOf({ teams }: Grid, members: readonly number[]): number[][] {
  const rounds = new Map<number, number[]>();
  for (const member of members) {
    const round = Math.floor(member / teams);
    rounds.set(round, [...(rounds.get(round) ?? []), member]);
  }
  return [...rounds.values()];
}

/**
 * The gradients of all members of a round, each of which one team computes; every rank is told all of them. Statistics of batch
 * normalisations, which the team's passes moved, are told with them; `passes` are counted as if this rank had made them all.
 */
export function ofAllTeams(
  grid: Grid,
  round: readonly Updating[],
  passes: Passes,
  gradientsOf: (updating: Updating) => Gradients,
): Gradients[] {
  const { across, team, teams } = grid;
  if (teams === 1) return round.map(gradientsOf);
  const own = round.find(({ member }) => member % teams === team);
  const before = { ...passes };
  const made = togetherNow(across, () => own && gradientsOf(own));
  const counts = [passes.forward - before.forward, passes.backward - before.backward];
  const told = across.allGatherNow(own && made ? packed(own, made, counts) : new Float32Array(0));
  Object.assign(passes, before);
  return round.map((updating) => {
    const all = told[updating.member % teams];
    passes.forward += all[0];
    passes.backward += all[1];
    return unpacked(updating, all);
  });
}

/** What is exchanged of a member: counts of passes, loss, gradients, statistics. */
function packed({ moving, embedder }: Updating, { value, grads }: Gradients, counts: readonly number[]): Float32Array {
  const flat = new FlatGradients(moving);
  flat.add(grads);
  const statistics = statisticsOf(embedder).map((variable) => variable.dataSync<'float32'>());
  const length = statistics.reduce((sum, of) => sum + of.length, flat.values.length + 3);
  const all = new Float32Array(length);
  let at = 0;
  for (const part of [counts, value.dataSync(), flat.values, ...statistics]) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function unpacked({ moving, embedder }: Updating, all: Float32Array): Gradients {
  const flat = new FlatGradients(moving);
  let at = 3 + flat.values.length;
  for (const variable of statisticsOf(embedder)) {
    const values = all.slice(at, at + variable.size);
    at += variable.size;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return { value: tf.scalar(all[2]), grads: flat.tensors(all.subarray(3, 3 + flat.values.length)) };
}

/** Variables that no gradient moves. */
function statisticsOf(embedder: Embedder): tf.Variable[] {
  const trainable = new Set(embedder.variables());
  return [...embedder.weights.values()].filter((variable) => !trainable.has(variable));
}

/** Another member while one is updated in a round of several: it moves meanwhile, elsewhere, so that no loss may look at it. */
export function outOfSight(embedder: Embedder, method: string): Embedder {
  const apply = (): never => {
    throw distributedError(
      `Expected a method whose members learn without a look at one another for memberGroups but received ${method}.`,
      'Train it with memberGroups: 1, which shares the rows of each member among all ranks.',
    );
  };
  return embedderWith(embedder, { apply, ...(embedder.by && { by: () => outOfSight(embedder, method) }) });
}
