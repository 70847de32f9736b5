import * as tf from '#tf';
import { distributedError } from '../../distributed/group.js';
import { togetherNow } from '../../distributed/together.js';
import type { Passes } from '../../models/counted.js';
import { embedderWith } from '../../models/embedder.js';
import type { Embedder } from '../../models/index.js';
import { FlatGradients, flatLength, memoryFor, spareMemory, tensorsOf } from './flat-gradients.js';
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
  const lengths = Array.from({ length: teams }, (_, i) => told(round.find(({ member }) => member % teams === i)));
  const [begin, whole] = [lengths.slice(0, team), lengths].map((of) => of.reduce((sum, length) => sum + length, 0));
  const all = memoryFor(across, whole);
  const telling = all.subarray(begin, begin + lengths[team]);
  if (own && made) pack(own, made, counts, telling);
  const parts = across.allGatherNow(telling, { into: all });
  spareMemory(across, all);
  Object.assign(passes, before);
  return round.map((updating) => {
    const part = parts[updating.member % teams];
    passes.forward += part[0];
    passes.backward += part[1];
    return unpacked(updating, part);
  });
}

/** Before the gradients in what is exchanged: counts of passes, forward and backward, and the loss. */
const HEAD = 3;

/** Values that are exchanged of a member: the head, gradients, statistics. */
function told(updating?: Updating): number {
  if (!updating) return 0;
  const { moving, embedder } = updating;
  return statisticsOf(embedder).reduce((sum, { size }) => sum + size, HEAD + flatLength(moving));
}

function pack(
  { moving, embedder }: Updating,
  { value, grads }: Gradients,
  counts: readonly number[],
  all: Float32Array<ArrayBuffer>,
): void {
  let at = HEAD + flatLength(moving);
  all.set([...counts, value.dataSync()[0]]);
  new FlatGradients(moving, all.subarray(HEAD, at)).add(grads);
  for (const variable of statisticsOf(embedder)) {
    all.set(variable.dataSync<'float32'>(), at);
    at += variable.size;
  }
}

function unpacked({ moving, embedder }: Updating, all: Float32Array): Gradients {
  let at = HEAD + flatLength(moving);
  const grads = tensorsOf(moving, all.subarray(HEAD, at));
  for (const variable of statisticsOf(embedder)) {
    const values = all.slice(at, at + variable.size);
    at += variable.size;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return { value: tf.scalar(all[2]), grads };
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
