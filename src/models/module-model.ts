import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { describe, EatDmlError } from '../errors.js';
import { parseOptions, path } from '../options.js';
import { part } from '../part.js';
import { checkEmbedder, type Embedder, type ImageShape, type ModelSpec } from './embedder.js';

const moduleOptions = z.strictObject({
  path: path.describe(
    'of a module whose default export is a model specification, an embedder, or (shape, seed) => embedder',
  ),
});

/** What modules export by default. */
type Exported = ModelSpec | Embedder | ((inputShape: ImageShape, seed: number) => Embedder);

const loaded = new Map<string, Exported>();

/**
 * Runs the module, so that the part `module` can be made of it. Only for one that the user has named, by a flag or in a
 * configuration of his own: what a checkpoint or a run's folder names could be anybody's program.
 *
 * @throws EatDmlError ERR_DATA that names the module: it does not load, or exports something else.
 */
export async function loadModelModule(path: string): Promise<void> {
  const file = resolve(path);
  if (loaded.has(file)) return;
  const module = await import(pathToFileURL(file).href).catch((cause) => {
    throw new EatDmlError(
      'ERR_DATA',
      `Expected a module that loads at ${path} but received: ${cause instanceof Error ? cause.message : String(cause)}.`,
      {
        cause,
      },
    );
  });
  const exported = module.default;
  const { build, apply } = (exported ?? {}) as Partial<ModelSpec & Embedder>;
  if (![exported, build, apply].some((value) => typeof value === 'function')) {
    const expected = 'a model specification, an embedder, or a function (inputShape, seed) => embedder';
    throw new EatDmlError(
      'ERR_DATA',
      `Expected ${expected} as the default export of ${path} but received ${describe(exported)}.`,
    );
  }
  loaded.set(file, exported as Exported);
}

function moduleModel(options: z.input<typeof moduleOptions>): ModelSpec {
  const { path } = parseOptions(moduleOptions, options);
  const exported = loaded.get(resolve(path));
  if (!exported) {
    const message = `Expected the module ${path} to be named by you, as a run's files run no program by themselves`;
    throw new EatDmlError('ERR_CONFIG', `${message}.`, {
      hint: 'Name it with --config, for which run.json of the run will do (train takes --model, too); in code, pass the specification that it makes, as loadEnsemble(dir, model).',
    });
  }
  const spec = exported as ModelSpec;
  let built = false;
  return {
    ...(typeof spec.build === 'function' && { restore: spec.restore, weightShapes: spec.weightShapes }),
    kind: modulePart.name,
    // Where it is, whatever folder the run is loaded from.
    config: { path: resolve(path) },
    build(inputShape, seed) {
      if (built && isEmbedder(exported)) {
        const message = `Expected ${path} to make a network for each member but it exports a single embedder`;
        throw new EatDmlError('ERR_ARGUMENT', `${message}.`, {
          hint: 'To train, export a model specification or (inputShape, seed) => embedder.',
        });
      }
      built = true;
      const embedder = embedderOf(exported, inputShape, seed);
      checkEmbedder(`the embedder of ${path}`, embedder);
      return embedder;
    },
  };
}

function isEmbedder(exported: Exported): exported is Embedder {
  return typeof exported !== 'function' && !('build' in exported);
}

function embedderOf(exported: Exported, inputShape: ImageShape, seed: number): Embedder {
  if (typeof exported === 'function') return exported(inputShape, seed);
  return isEmbedder(exported) ? exported : exported.build(inputShape, seed);
}

export const modulePart = part('module', 'a network of your own, from a module', moduleOptions, moduleModel);
