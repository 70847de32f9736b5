import { z } from 'zod';
import { objective, pgd } from '../../attacks/index.js';
import { Ensemble } from '../../models/index.js';
import { parseOptions } from '../../options.js';
import { part } from '../../part.js';
import { attackFor } from '../attack-dataset.js';
import { whyNotRun } from '../defined.js';
import { cleanSetOf, type MeasuredSet } from '../measured-set.js';
import { progressReporter } from '../progress.js';
import type { Scores } from '../scores.js';
import { disposeContext, setContext } from '../set-context.js';
import { type AttackPlan, plan } from '../suites/index.js';
import type { Protocol, ProtocolRun } from './protocol.js';

/** Row: what the attack was crafted on; column: what embedded the result. Members in order, the whole ensemble last. */
export interface TransferMatrix {
  attack: string;
  nmi: (number | null)[][];
  recallAt1: (number | null)[][];
  /** Why the attack could not be made; all values are then null. */
  notRun?: string;
}

/** How attacks on one member do against every other: the smaller the harm, the more diverse the members are. */
export async function transferMatrix(run: ProtocolRun, plan: AttackPlan): Promise<TransferMatrix> {
  const { ensemble, data, clean, attack } = run;
  const systems = [...ensemble.members.map((member) => new Ensemble([member])), ensemble];
  const notRun = whyNotRun(plan.objective, attack.context.means.rows);
  if (notRun) {
    const unknown = systems.map(() => systems.map(() => null));
    return { attack: plan.name, nmi: unknown, recallAt1: unknown, notRun };
  }
  const sets: MeasuredSet[] = [];
  for (const system of systems) {
    sets.push(system === ensemble ? clean : await cleanSetOf(system, run, run.scoring));
  }
  const told = { ...plan, name: `transfer of ${plan.name}` };
  const onBatch = progressReporter(
    run.onProgress,
    systems.map(() => told),
    data.labels.length,
  );
  const [nmi, recallAt1]: (number | null)[][][] = [[], []];
  for (const [i, source] of systems.entries()) {
    const context = await setContext(sets[i].embeddings, data.labels);
    try {
      const crafted = {
        ...attack,
        ensemble: source,
        context,
        plan,
        onBatch: (images: number) => onBatch(told, images),
      };
      const attacked = await attackFor(crafted, systems);
      const scores: Scores[] = [];
      for (const [j, embeddings] of attacked.entries()) {
        scores.push(await sets[j].moved(embeddings).scores());
      }
      nmi.push(scores.map((score) => score.nmi));
      recallAt1.push(scores.map((score) => score.recallAt1));
    } finally {
      disposeContext(context);
    }
  }
  return { attack: plan.name, nmi, recallAt1 };
}

const transferOptions = z.strictObject({
  transfer: z.boolean().default(false).describe('also attack every member alone and measure all others'),
});

export const transferPart = part(
  'transfer',
  'every member is attacked alone, and all others are measured: the less harm, the more they differ',
  transferOptions,
  (options): Protocol<object, { transfer?: TransferMatrix }> => {
    const { transfer } = parseOptions(transferOptions, options);
    return async (run) => {
      if (!transfer) return undefined;
      const settings = pgd({ norm: run.norm, epsilon: run.epsilon, steps: 10 });
      const scatter = plan(settings, objective('centroid-random-target'));
      return { end: async () => ({ transfer: await transferMatrix(run, scatter) }) };
    };
  },
);
