import * as tf from '#tf';
import type { Embedder, ModelSpec } from '../models/index.js';
import { corrupt } from './manifest.js';
import type { SavedMember, SavedTensors } from './read-member.js';

/**
 * Builds the member as its specification says, never as a file does, and gives it the weights of the file by their names.
 * ERR_CHECKPOINT where the weights are those of another model; where the specification tells its shapes, nothing is built then.
 */
export function restoreMember(spec: ModelSpec, { file, inputShape, weights }: SavedMember): Embedder {
  const shapes = spec.weightShapes?.(inputShape);
  const pairs = shapes && inPairs(shapes, weights, file, spec);
  if (pairs && spec.restore) return spec.restore(inputShape, pairs);
  const embedder = spec.build(inputShape, 0);
  try {
    const own = new Map([...embedder.weights].map(([name, { shape }]) => [name, shape]));
    const values = inPairs(own, weights, file, spec);
    tf.tidy(() => {
      for (const [name, variable] of embedder.weights) variable.assign(tf.tensor(values.get(name)!, variable.shape));
    });
  } catch (error) {
    embedder.dispose();
    throw error;
  }
  return embedder;
}

/** The saved values of each of the model's own weights. */
function inPairs(
  own: ReadonlyMap<string, readonly number[]>,
  saved: SavedTensors,
  file: string,
  spec: ModelSpec,
): Map<string, Float32Array> {
  const [names, theirs] = [[...own.keys()], [...saved.keys()]];
  const exact = names.every((name) => saved.has(name));
  if (!exact && names.length !== theirs.length) {
    throw otherModel(file, spec, `there are ${theirs.length} of them, not ${names.length}`);
  }
  const [wanted, there] = exact ? [names, theirs] : [withoutCounts(names), withoutCounts(theirs)];
  const byName = new Map(theirs.map((name, i) => [there[i], saved.get(name)!]));
  const pairs = new Map<string, Float32Array>();
  for (const [i, name] of names.entries()) {
    const found = byName.get(wanted[i]);
    if (!found) throw otherModel(file, spec, `there is no ${name} among them`);
    const [is, should] = [found.shape, own.get(name)!].map((shape) => `[${shape.join(', ')}]`);
    if (is !== should) throw otherModel(file, spec, `${name} is ${is}, not ${should}`);
    pairs.set(name, found.values);
  }
  if (names.length === theirs.length) return pairs;
  throw otherModel(file, spec, `it has no ${theirs.find((name) => !own.has(name))}`);
}

/**
 * Names of weights without what tfjs counts up from model to model in one process: conv2d_7/kernel, conv2d_9/kernel and
 * conv2d_1/kernel, conv2d_2/kernel both become conv2d_#0/kernel, conv2d_#1/kernel.
 */
function withoutCounts(names: readonly string[]): string[] {
  const parts = (name: string) => /^(.*?)(\d*)(\/.*)?$/s.exec(name)!.slice(1) as [string, string, string | undefined];
  const counts = (stem: string) =>
    [...new Set(names.map(parts).flatMap(([own, count]) => (own === stem ? [Number(count)] : [])))].sort(
      (a, b) => a - b,
    );
  return names.map((name) => {
    const [stem, count, rest = ''] = parts(name);
    return `${stem}#${counts(stem).indexOf(Number(count))}${rest}`;
  });
}

function otherModel(file: string, { kind, config }: ModelSpec, what: string): Error {
  return corrupt(file, `its weights are not those of the model ${kind} ${JSON.stringify(config)}: ${what}`);
}
