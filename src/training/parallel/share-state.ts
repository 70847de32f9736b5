import * as tf from '#tf';
import { asOnFirst } from '../../distributed/together.js';
import type { TrainingState } from '../state/restore-state.js';
import type { Trainee } from '../state/trainee.js';
import type { Grid } from './grid.js';

/** The state of rank 0 for all: a checkpoint is read by it alone. The others bring trainees of the same shape, whatever they hold. */
export async function shareState({ world }: Grid, state: TrainingState): Promise<void> {
  if (world.size === 1) return;
  const { trainees, position } = state;
  const steps = trainees.map(({ optimizer }) => ({ steps: optimizer.steps, groups: optimizer.groupSteps }));
  const told = await asOnFirst(world, { position, steps });
  Object.assign(position, told.position);
  for (const [i, { optimizer }] of trainees.entries())
    optimizer.restoreSteps(told.steps[i].steps, told.steps[i].groups);
  for (const variable of trainees.flatMap(variablesOf)) {
    const values = await world.broadcast((await variable.data()) as Float32Array);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
}

/** All that a checkpoint keeps of it. */
function variablesOf({ embedder, proxies, optimizer, average }: Trainee): tf.Variable[] {
  const members = average ? [{ embedder, proxies }, average] : [{ embedder, proxies }];
  return [
    ...members.flatMap((member) => [...member.embedder.weights.values(), member.proxies]),
    ...optimizer.moments(),
  ];
}
