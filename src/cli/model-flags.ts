import { PARTS } from '../config/lists.js';
import { hasOption } from '../config/make.js';
import type { Config } from '../config/schema.js';
import { EatDmlError } from '../errors.js';
import { headIn } from '../models/weights/head-in.js';
import type { ModelFlags } from './options.js';

type ModelConfig = NonNullable<Config['model']>;

/** The model of a configuration with what flags say instead; another kind keeps nothing of the configured one. */
export function modelConfig(flags: ModelFlags, configured: ModelConfig): ModelConfig {
  const { model, weights, head, pooling, dimension } = flags;
  const base = chosenModel(model, configured);
  const options = Object.entries({ weights, head, pooling, dimension }).filter(([, value]) => value !== undefined);
  for (const [key] of options) {
    if (hasOption(PARTS.model, base.kind, key)) continue;
    throw new EatDmlError('ERR_CONFIG', `Expected no --${key} with the model ${base.kind}.`);
  }
  return { ...base, ...Object.fromEntries(options) } as ModelConfig;
}

function chosenModel(model: string | undefined, configured: ModelConfig): ModelConfig {
  if (model === undefined || model === configured.kind) return configured;
  return (isModule(model) ? { kind: 'module', path: model } : { kind: model }) as ModelConfig;
}

/** Whether a flag names a file of JavaScript and not a kind. */
export function isModule(model: string): boolean {
  return /\.[cm]?js$/.test(model);
}

/** ERR_ARGUMENT unless either a run or --model says what to work with. */
export function requireRunOrModel(run: string | undefined, model: string | undefined, what: string): void {
  if ((run === undefined) !== (model === undefined)) return;
  const received = run === undefined ? 'neither' : 'both';
  throw new EatDmlError('ERR_ARGUMENT', `Expected a run or --model to ${what} but received ${received}.`);
}

/** What --model may be, a kind by its name in code, `bnInception`, too; else an error that lists the kinds. */
export function checkModel(model: string): string {
  if (isModule(model)) return model;
  const kinds = PARTS.model.map(({ name }) => name as string).filter((name) => name !== 'module');
  const kind = model.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (kinds.includes(kind)) return kind;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected ${kinds.join(', ')} or a module such as ./my-model.mjs for --model but received "${model}".`,
  );
}

/**
 * {@link modelConfig} of a network to embed with: the head is the file's, or none where it holds none, as a drawn one would say
 * nothing.
 */
export function embeddingModel(flags: ModelFlags, configured: ModelConfig = { kind: 'conv' }): ModelConfig {
  const config = modelConfig(flags, configured);
  if (config.kind === 'module') return config;
  const { kind, weights, head, dimension } = config as ModelConfig & ModelFlags;
  if (weights === undefined) {
    throw new EatDmlError(
      'ERR_ARGUMENT',
      `Expected --weights with --model ${kind}: without them its embeddings are drawn.`,
    );
  }
  const columns = headIn(weights);
  if (columns === undefined && head === 'linear') {
    const hint = 'Leave --head out, or give --head none, for the pooled features.';
    throw new EatDmlError('ERR_DATA', `Expected a head, embedding.weight, in ${weights} but found none.`, { hint });
  }
  if (columns === undefined || head === 'none') return { ...config, head: 'none' } as ModelConfig;
  return { ...config, dimension: dimension ?? columns } as ModelConfig;
}

/** {@link embeddingModel} of a network to evaluate: rows of unit length, as k-means, search and attacks take them. */
export function evaluatedModel(flags: ModelFlags, configured?: ModelConfig): ModelConfig {
  const config = embeddingModel(flags, configured);
  return hasOption(PARTS.model, config.kind, 'unitNorm') ? ({ ...config, unitNorm: true } as ModelConfig) : config;
}
