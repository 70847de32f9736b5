import type { z } from 'zod';
import type { Objective } from '../attacks/index.js';
import type { AttackSettings } from '../attacks/settings.js';
import { type Source, sourceOf } from '../data/index.js';
import type { OpenWork } from '../data/look-over.js';
import type { DataSetPart } from '../data/sets/data-set.js';
import { EatDmlError } from '../errors.js';
import type { EvaluateOptions } from '../evaluation/index.js';
import { evaluateOptions } from '../evaluation/options.js';
import { plan } from '../evaluation/suites/index.js';
import type { LongWork } from '../long-work.js';
import type { MetricLoss } from '../losses/index.js';
import type { ModelSpec } from '../models/index.js';
import { loadModelModule } from '../models/module-model.js';
import { parseOptions } from '../options.js';
import { type Part, partNamed } from '../part.js';
import type { Method, TrainOptions } from '../training/index.js';
import { PARTS } from './lists.js';
import { type Config, DEFAULTS, EPSILON, type MethodConfig, type MethodName, trainedAgainst } from './schema.js';

type Choice = { name: string } & Record<string, unknown>;
type Parts<Made> = readonly Part<string, z.ZodObject, Made>[];

/** What a part of a configuration becomes: `{name, ...options}`. */
function made<Made>(parts: Parts<Made>, { name, ...options }: Choice, what: string): Made {
  return partNamed<Made>(parts, name, `${what}.name`).make(options);
}

/** True where the part of that name has the option. */
export function hasOption(parts: readonly Part[], name: string, option: string): boolean {
  return Object.hasOwn(partNamed(parts, name).options.shape, option);
}

/** The data of a configuration with the seed of the run, where it has none of its own. */
export function seededData({ data = DEFAULTS.data, seed = 0 }: Config): Choice {
  return hasOption(PARTS.data, data.name, 'seed') ? { seed, ...data } : data;
}

/** The data of a configuration: what is learnt from, and what is measured. */
export interface RunData {
  train: Source;
  /** The queries, where there is a gallery. */
  test: Source;
  gallery?: Source;
}

const dataSet = (name: string) => partNamed<unknown>(PARTS.data as never, name, 'data.name') as DataSetPart;

/** Opens the data of a configuration. */
export async function dataOf(config: Config, work: OpenWork = {}): Promise<RunData> {
  const { train, ...measured } = await openedData(config, work);
  if (train) return { train, ...measured };
  throw new EatDmlError('ERR_DATA', `Expected a side train of ${seededData(config).name} but it has none.`);
}

/** What is measured of the data of a configuration; what is learnt from need not be there. */
export async function measuredData(config: Config, work: LongWork = {}): Promise<Omit<RunData, 'train'>> {
  const { train: _, ...measured } = await openedData(config, work);
  return measured;
}

async function openedData(config: Config, work: OpenWork): Promise<Omit<RunData, 'train'> & Partial<RunData>> {
  const { name, ...options } = seededData(config);
  const { onLooked, ...plain } = work;
  // Of sets whose images are files.
  const heard = hasOption(PARTS.data, name, 'skipBroken') ? work : plain;
  const { train, query, gallery, test = query } = await dataSet(name).make(options, heard);
  if (!test) throw new EatDmlError('ERR_DATA', `Expected a side test of ${name} but it has none.`);
  const found = query && gallery && { gallery: sourceOf(gallery) };
  return { ...(train && { train: sourceOf(train) }), test: sourceOf(test), ...found };
}

/** Runs the module that makes the model of a configuration, where one does: of a configuration that is the user's own. */
export async function loadModel({ model }: Pick<Config, 'model'>): Promise<void> {
  if (model?.kind === 'module') await loadModelModule(model.path);
}

/** The model of a configuration, with the options of its recipe that it has and that are not given. */
export function modelOf(config: Config): ModelSpec {
  const { kind: name, ...options } = config.model ?? DEFAULTS.model;
  return made<ModelSpec>(PARTS.model, { name, ...ofRecipe(config, name), ...options }, 'model');
}

function ofRecipe({ data = DEFAULTS.data, training }: Config, kind: string): Record<string, unknown> {
  if (training?.recipe === undefined) return {};
  const recipe = partNamed(PARTS.recipe, training.recipe).make({});
  const options = Object.entries(recipe.model({ data: data.name, model: { kind } }));
  return Object.fromEntries(options.filter(([option]) => hasOption(PARTS.model, kind, option)));
}

export function lossOf({ loss = DEFAULTS.loss }: Config): MetricLoss {
  return made<MetricLoss>(PARTS.loss, loss, 'loss');
}

/** A method by its name with its defaults, against linf attacks of radius 0.1 where it takes an attack. */
export function methodNamed(name: MethodName): MethodConfig {
  const attack = hasOption(PARTS.method, name, 'attack') ? { attack: { epsilon: EPSILON } } : {};
  return { name, ...attack } as MethodConfig;
}

export function methodOf(method: MethodConfig = DEFAULTS.method): Method {
  return made<Method>(PARTS.method, method, 'method');
}

/** Everything of a configuration that `train` takes but the checkpoint. */
export function trainOptionsOf(config: Config): Omit<TrainOptions, 'data'> {
  const { checkpointEverySteps: _, ...training } = config.training ?? {};
  return {
    ...training,
    model: modelOf(config),
    loss: lossOf(config),
    method: methodOf(config.method),
    seed: config.seed,
    backend: config.backend,
  };
}

/**
 * Everything of a configuration that `evaluate` takes; attacks have the radius that the method trained against. What does not fit
 * is said here, before data are read.
 */
export function evaluateOptionsOf(config: Config): EvaluateOptions {
  const attack = trainedAgainst(config.method);
  const { attacks, ...evaluation } = config.evaluation ?? {};
  const { recallAt } = dataSet(seededData(config).name);
  const options = {
    ...(recallAt && { recallAt }),
    epsilon: attack?.epsilon ?? EPSILON,
    norm: attack?.norm,
    ...evaluation,
    ...(attacks && { attacks: attacks.map(planOf) }),
    seed: config.seed,
    backend: config.backend,
  };
  parseOptions(evaluateOptions, options);
  return options;
}

function planOf({ name, objective, attack }: NonNullable<NonNullable<Config['evaluation']>['attacks']>[number]) {
  const settings = made<AttackSettings>(PARTS.attack as unknown as Parts<AttackSettings>, attack, 'attack');
  const own = plan(settings, made<Objective>(PARTS.objective, objective, 'objective'));
  return name === undefined ? own : { ...own, name };
}
