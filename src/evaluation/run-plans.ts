import type { Source } from '../data/index.js';
import type { Ensemble } from '../models/index.js';
import { attackDataset } from './attack-dataset.js';
import { whyNotRun } from './defined.js';
import type { AttackResult, EvaluationReport } from './evaluate.js';
import type { MeasuredSet } from './measured-set.js';
import type { EvaluateSettings } from './options.js';
import { observersOf, type ReportFields } from './protocols/index.js';
import type { Observer, ProtocolRun } from './protocols/protocol.js';
import { attackable, sanityChecks } from './sanity.js';
import type { ScoringOptions } from './scores.js';
import { disposeContext, setContext } from './set-context.js';
import type { AttackPlan } from './suites/index.js';

/** What every part of one evaluation shares. */
export interface EvaluationRun {
  ensemble: Ensemble;
  data: Source;
  /** What `data` are looked up in, if not themselves. */
  gallery?: Source;
  /** Where the inductive protocol finds its clusters, if not in `data`. */
  reference?: Source;
  plans: AttackPlan[];
  options: EvaluateSettings;
  scoring: ScoringOptions;
  /** `data`, clean. */
  clean: MeasuredSet;
  onBatch(plan: AttackPlan, images: number): void;
}

type Measured = Pick<EvaluationReport, 'attacks' | 'checks'> & ReportFields;

/** Runs the checks, every plan, and every protocol that was asked for. */
export async function runPlans(run: EvaluationRun): Promise<Measured> {
  const { ensemble, data, gallery, reference, options, scoring, clean } = run;
  const { epsilon, norm, seed, batchSize, signal } = options;
  const context = await setContext(clean.embeddings, data.labels);
  const { model, differentiable } = attackable(ensemble);
  const attack = { ensemble: model, data, context, seed, batchSize, signal };
  try {
    const checks = await sanityChecks({ ...attack, differentiable, norm, epsilon });
    const shared = { ensemble, data, gallery, clean, reference, scoring, attack, norm, epsilon };
    const observers = await observersOf(options, shared);
    const attacks = await attackAll(run, attack, observers);
    const ends: object[] = [];
    for (const observer of observers) ends.push((await observer.end?.()) ?? {});
    return { attacks, checks, ...(Object.assign({}, ...ends) as ReportFields) };
  } finally {
    disposeContext(context);
  }
}

async function attackAll(
  { plans, clean, onBatch }: EvaluationRun,
  attack: ProtocolRun['attack'],
  observers: readonly Observer[],
): Promise<AttackResult[]> {
  const attacks: AttackResult[] = [];
  for (const plan of plans) {
    const { name, objective, settings } = plan;
    const result = { name, objective: objective.name, settings };
    const notRun = whyNotRun(objective, attack.context.means.rows);
    if (notRun) {
      const unknown = Object.assign({}, ...observers.map((observer) => observer.notRun)) as AttackResult;
      attacks.push({ ...result, ...unknown, seconds: 0, notRun });
      continue;
    }
    const start = performance.now();
    const embeddings = await attackDataset({ ...attack, plan, onBatch: (images) => onBatch(plan, images) });
    const attacked = clean.moved(embeddings);
    const found: object[] = [];
    for (const observer of observers) found.push((await observer.attacked?.(attacked)) ?? {});
    const seconds = (performance.now() - start) / 1000;
    attacks.push({ ...result, ...(Object.assign({}, ...found) as AttackResult), seconds });
  }
  return attacks;
}
