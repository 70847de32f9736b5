import { isDeepStrictEqual } from 'node:util';
import { differenceOf } from '../difference.js';
import { EatDmlError } from '../errors.js';
import { parseOptions } from '../options.js';
import { partNamed } from '../part.js';
import { PARTS } from './lists.js';
import { loadModel, lossOf, methodOf, modelOf, seededData } from './make.js';
import { readConfig } from './read.js';
import { decisive, findRun, readRun } from './run-folder.js';
import type { Config } from './schema.js';

/** What an evaluation may say beside the configuration of its run. */
export interface EvaluationFlags {
  /** A file of settings. */
  config?: string;
  seed?: number;
  backend?: Config['backend'];
  device?: Config['device'];
  suite?: NonNullable<Config['evaluation']>['suite'];
  epsilon?: number;
  epsilons?: number[];
  stepCounts?: number[];
  count?: number;
  allowSeen?: boolean;
}

/** What an evaluation of a run goes by. */
export interface EvaluationConfig {
  /** Its seed is that of attacks, k-means and the images drawn. */
  config: Config;
  /** Whose data are measured, with the seed that drew them. */
  data: Config;
  /** True where the data are those of the run's own record, and so must be what its checkpoint was trained on. */
  own: boolean;
}

/**
 * The run's own configuration, with what a file and the flags say of the evaluation on top. The data belong to the run: a file
 * may repeat them, not change them, unless seen data are allowed. A checkpoint that the library wrote has no configuration:
 * there the file stands for it.
 */
export async function evaluationConfig(run: string, flags: EvaluationFlags): Promise<EvaluationConfig> {
  const file = flags.config === undefined ? {} : await readConfig(flags.config);
  const recorded = flags.config === undefined ? await readRun(run) : await findRun(run);
  const base = recorded ?? file;
  await loadModel(file);
  const foreign = recorded !== undefined && !sameParts(base, file, ['data']);
  if (recorded) checkParts(recorded, file, flags);
  const { seed = file.seed ?? base.seed, backend = file.backend ?? base.backend } = flags;
  const config = {
    ...base,
    ...{ seed, backend, device: flags.device ?? file.device ?? base.device },
    evaluation: { ...base.evaluation, ...file.evaluation, ...evaluationFlags(flags) },
  };
  const data = foreign ? { seed: file.seed ?? base.seed, data: file.data } : base;
  return { config, data, own: recorded !== undefined && !foreign };
}

/** What flags say of an evaluation. */
export function evaluationFlags({
  suite,
  epsilon,
  epsilons,
  stepCounts,
  count,
}: EvaluationFlags): NonNullable<Config['evaluation']> {
  return Object.fromEntries(
    Object.entries({ suite, epsilon, epsilons, stepCounts, count }).filter(([, value]) => value !== undefined),
  );
}

const TRAINED = ['data', 'model', 'loss', 'method', 'training'] as const;
type Part = (typeof TRAINED)[number];

/** ERR_CONFIG where the file says otherwise than the run about what was trained, and on what. */
function checkParts(run: Config, file: Config, { config: path, allowSeen }: EvaluationFlags): void {
  const part = TRAINED.find((part) => !sameParts(run, file, [part]) && !(part === 'data' && allowSeen));
  if (part === undefined) return;
  const differs = differenceOf(filled(run, part), filled(file, part, run), part);
  const [is, says] = differs
    ? [differs.before, differs.now]
    : [run, file].map((config) => JSON.stringify(config[part]));
  throw new EatDmlError(
    'ERR_CONFIG',
    `Expected ${differs?.path ?? part} in ${path} to be that of the run, ${is}, but received ${says}.`,
    {
      hint: `A file changes evaluation, seed, backend and device; what was trained belongs to the run.${
        part === 'data' ? ' With --allow-seen the data of the file are measured.' : ''
      }`,
    },
  );
}

/** True where the file leaves the parts out, or they come to the same with every default filled in. */
function sameParts(run: Config, file: Config, parts: readonly Part[]): boolean {
  return parts.every(
    (part) => file[part] === undefined || isDeepStrictEqual(filled(run, part), filled(file, part, run)),
  );
}

/** A part with its defaults; data take the seed of the run, a model what its recipe says. */
function filled(config: Config, part: Part, base: Config = config): unknown {
  if (part === 'data') return filledData({ data: config.data, seed: base.seed });
  // A recipe has options of the model, too.
  if (part === 'model') {
    const { kind, config: options } = modelOf({ ...base, model: config.model });
    return { kind, ...options };
  }
  if (part === 'loss') return lossOf(config).config;
  if (part === 'method') return methodOf(config.method).config;
  return decisive(config, part);
}

function filledData(config: Config): unknown {
  const { name, ...options } = seededData(config);
  return { name, ...parseOptions(partNamed(PARTS.data, name).options, options) };
}
