import { createHash } from 'node:crypto';
import * as tf from '#tf';
import { checkAlike } from '../../distributed/alike.js';
import type { SyncGroup } from '../../distributed/index.js';
import { checkSame } from '../../distributed/together.js';
import { fingerprint, type Settings } from '../options.js';
import type { Trainee } from '../state/trainee.js';

/** Throws on every rank unless all of them train the same in the same way. Nothing is done where there is one. */
export async function checkAgreed(group: SyncGroup, settings: Settings): Promise<void> {
  if (group.size === 1) return;
  await checkAlike(group);
  const { epochs, checkpoint, resume, validation, distributed } = settings;
  const plain = {
    ...(await fingerprint(settings)),
    ...{ epochs, resume, checkpoint: checkpoint !== undefined, everySteps: checkpoint?.everySteps },
    ...{ patience: validation?.patience, shards: distributed?.shards, memberGroups: distributed?.memberGroups },
    backend: tf.getBackend(),
  };
  // A key that one rank alone has would be asked for by it alone.
  await checkSame(group, 'options', Object.keys(plain).join(', '));
  for (const [name, value] of Object.entries(plain)) await checkSame(group, name, JSON.stringify(value) ?? 'nothing');
}

/** Throws on every rank unless their weights have the same bits. */
export async function checkWeights(group: SyncGroup, trainees: readonly Trainee[], when: string): Promise<void> {
  if (group.size === 1) return;
  const hash = createHash('sha256');
  for (const { embedder, proxies } of trainees)
    for (const weight of [...embedder.weights.values(), proxies]) hash.update(await weight.data());
  const hint = 'The ranks computed the same otherwise: report it, with the processors and the backend.';
  await checkSame(group, `weights ${when}`, hash.digest('hex').slice(0, 16), hint);
}
