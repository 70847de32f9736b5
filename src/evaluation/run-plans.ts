import type { Source } from '../data/index.js';
import type { Ensemble } from '../models/index.js';
import { attackDataset } from './attack-dataset.js';
import { choosePlans } from './choose-plans.js';
import { COMPOSITE, CompositeAttack } from './composite.js';
import { curveOf, curvePlans, type PointPlans, stepCurveOf, stepPlans } from './curve.js';
import { whyNotRun } from './defined.js';
import type { AttackResult, EvaluationReport } from './evaluate.js';
import { Gatherer } from './gather/gatherer.js';
import type { MeasuredSet } from './measured-set.js';
import type { EvaluateSettings } from './options.js';
import { progressReporter } from './progress.js';
import { type AttackFields, observersOf, type ReportFields } from './protocols/index.js';
import type { Observer, ProtocolRun } from './protocols/protocol.js';
import { transductive } from './protocols/transductive.js';
import { attackable, sanityChecks } from './sanity/checks.js';
import { jointCheck } from './sanity/joint.js';
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
}

type Measured = Pick<EvaluationReport, 'attacks' | 'checks' | 'curve' | 'stepCurve'> & ReportFields;

/** Runs the checks, every plan, and every protocol that was asked for. */
export async function runPlans(run: EvaluationRun): Promise<Measured> {
  const { ensemble, data, gallery, reference, options, scoring, clean } = run;
  const { epsilon, norm, seed, batchSize, signal } = options;
  const context = await setContext(clean.embeddings, data.labels, clean.otherGallery());
  const { model, differentiable } = attackable(ensemble);
  const attack = { ensemble: model, data, context, seed, batchSize, signal };
  try {
    const { onProgress } = options;
    const sane = await sanityChecks({ ...attack, differentiable, norm, epsilon, onProgress });
    const shared = { ensemble, data, gallery, clean, reference, scoring, attack, norm, epsilon, onProgress };
    const observers = await observersOf(options, shared);
    const plans = await choosePlans(run.plans, { ...attack, data, clean, scoring, onProgress });
    const [radii, counts] = [curvePlans(plans, options), stepPlans(plans, options.stepCounts)];
    const all = [...plans, ...[...radii, ...counts].flatMap((point) => point.plans)];
    const attacking = { clean, scoring, attack, onBatch: progressReporter(onProgress, all, data.labels.length) };
    const gatherer = options.onGathered && new Gatherer({ data, gallery, clean, seed, signal }, options.gather);
    const attacks = await attackAll({ ...attacking, gatherer }, plans, observers);
    const gathered = await gatherer?.gathered();
    if (gathered) options.onGathered?.(gathered);
    const checks = [...sane, await jointCheck(plans, attacks, clean, scoring)];
    const ends: object[] = [];
    for (const observer of observers) ends.push((await observer.end?.()) ?? {});
    const report = { attacks, checks, ...(Object.assign({}, ...ends) as ReportFields) };
    const { epsilons, stepCounts } = options;
    const scores = await clean.scores();
    const byRadius = [[epsilon, attacks] as const, ...(await attackPoints(attacking, radii))];
    const bySteps = await attackPoints(attacking, counts);
    return {
      ...report,
      ...(epsilons && { curve: curveOf(epsilons, scores, new Map(byRadius)) }),
      ...(stepCounts && { stepCurve: stepCurveOf(stepCounts, scores, new Map(bySteps)) }),
    };
  } finally {
    disposeContext(context);
  }
}

/** What the attacks of one radius share with those of others. */
interface Attacking {
  clean: MeasuredSet;
  scoring: ScoringOptions;
  attack: ProtocolRun['attack'];
  onBatch: ReturnType<typeof progressReporter>;
  /** Looks on, where it is asked for. */
  gatherer?: Gatherer;
}

/** The attacks of each point of a curve, by it. */
async function attackPoints(attacking: Attacking, points: readonly PointPlans[]): Promise<[number, AttackResult[]][]> {
  const found: [number, AttackResult[]][] = [];
  for (const { at, plans, nameOf } of points) {
    const onBatch = (plan: Pick<AttackPlan, 'name' | 'settings'>, images: number) =>
      attacking.onBatch({ ...plan, name: nameOf(plan.name) }, images);
    found.push([at, await attackAll({ ...attacking, onBatch }, plans, [await transductive()])]);
  }
  return found;
}

async function attackAll(
  { clean, scoring, attack, onBatch, gatherer }: Attacking,
  plans: readonly AttackPlan[],
  observers: readonly Observer[],
): Promise<AttackResult[]> {
  const attacks: AttackResult[] = [];
  const composite = new CompositeAttack(clean, scoring, plans.length + 1);
  try {
    await composite.add('clean', clean);
    for (const plan of plans) {
      const { name, objective, settings } = plan;
      const start = performance.now();
      const result = { name, objective: objective.name, settings };
      const notRun = whyNotRun(objective, attack.context.means.rows);
      if (notRun) {
        const unknown = Object.assign({}, ...observers.map((observer) => observer.notRun)) as AttackResult;
        attacks.push({ ...result, ...unknown, seconds: 0, notRun });
        continue;
      }
      const catching = gatherer?.catching();
      const { onAttacked } = catching ?? {};
      const called = { ...attack, plan, onAttacked, onBatch: (images: number) => onBatch(plan, images) };
      const set = clean.moved(await attackDataset(called));
      await composite.add(name, set);
      if (catching) await gatherer?.take(name, set, catching.caught);
      attacks.push({ ...result, ...(await observedBy(observers, set)), seconds: secondsSince(start) });
    }
    if (attacks.every(({ notRun }) => notRun)) return attacks;
    const start = performance.now();
    const { set, from } = await composite.chosen();
    const observed = await observedBy(observers, set);
    return [...attacks, { name: COMPOSITE, objective: COMPOSITE, ...observed, seconds: secondsSince(start), from }];
  } finally {
    await composite.dispose();
  }
}

/** What the protocols say of an attacked set. */
async function observedBy(observers: readonly Observer[], set: MeasuredSet): Promise<AttackFields> {
  const found: object[] = [];
  for (const observer of observers) found.push((await observer.attacked?.(set)) ?? {});
  return Object.assign({}, ...found) as AttackFields;
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
