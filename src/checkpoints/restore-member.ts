import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { Embedder, ImageShape, ModelSpec } from '../models/index.js';
import { checked, corrupt, type Manifest, parseObject, readEntry } from './manifest.js';

/** No image is larger; a larger one in a file is damage, which must not be built. */
const side = z
  .int()
  .positive()
  .max(1 << 14);
const size = z.int().nonnegative();

/** What is read of a model.json: the images that its first layer takes, and its weights. */
const modelSchema = z.object({
  modelTopology: z.object({
    config: z.object({
      layers: z
        .tuple([z.object({ config: z.object({ batch_input_shape: z.tuple([z.null(), side, side, side]) }) })])
        .rest(z.unknown()),
    }),
  }),
  weightsManifest: z.tuple([
    z.object({
      weights: z.array(
        z.object({ name: z.string().max(1000), shape: z.array(size), dtype: z.enum(['float32', 'int32', 'bool']) }),
      ),
    }),
  ]),
});

type WeightSpecs = z.infer<typeof modelSchema>['weightsManifest'][0]['weights'];

/** A member's files, checked against each other; nothing is built yet. */
export interface SavedMember {
  /** Path of its model.json, for messages. */
  file: string;
  inputShape: ImageShape;
  weights: WeightSpecs;
  bytes: Uint8Array;
}

export async function readMember(dir: string, manifest: Manifest, folder: string): Promise<SavedMember> {
  const [path, weightPath] = [`${folder}/model.json`, `${folder}/weights.bin`];
  const file = join(dir, path);
  const text = new TextDecoder().decode(await readEntry(dir, manifest, path));
  const { modelTopology, weightsManifest } = checked(file, parseObject(file, text), modelSchema);
  const inputShape = modelTopology.config.layers[0].config.batch_input_shape.slice(1) as ImageShape;
  const expected = manifest.model.inputShape ?? inputShape;
  if (inputShape.join() !== expected.join()) throw corrupt(file, `it takes images ${inputShape}, not ${expected}`);
  const bytes = await readEntry(dir, manifest, weightPath);
  const { weights } = weightsManifest[0];
  const needed = weights.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * (dtype === 'bool' ? 1 : 4), 0);
  if (needed !== bytes.length) throw corrupt(join(dir, weightPath), `it holds ${bytes.length} bytes, not ${needed}`);
  return { file, inputShape, weights, bytes };
}

/**
 * Builds the member as its specification says, never as a file does, and gives it the weights of the file: what was changed
 * in a topology can neither be built nor run. ERR_CHECKPOINT where the weights are those of another model.
 */
export function restoreMember(spec: ModelSpec, { file, inputShape, weights, bytes }: SavedMember): Embedder {
  const shapes = spec.weightShapes?.(inputShape);
  if (shapes && shapes.join(' ') !== weights.map(({ shape }) => shape).join(' ')) throw otherModel(file, spec);
  const embedder = spec.build(inputShape, 0);
  try {
    assign(embedder.layers, weights, bytes, () => otherModel(file, spec));
  } catch (error) {
    embedder.dispose();
    throw error;
  }
  return embedder;
}

function assign({ weights: own }: tf.LayersModel, saved: WeightSpecs, bytes: Uint8Array, other: () => Error): void {
  if (own.length !== saved.length) throw other();
  tf.tidy(() => {
    const names = withoutCounts(saved.map(({ name }) => name));
    // A copy: small files come as views of a buffer that they share.
    const values = tf.io.decodeWeights(new Uint8Array(bytes).buffer, saved);
    const byName = new Map(saved.map(({ name }, i) => [names[i], values[name]]));
    const wanted = withoutCounts(own.map(({ originalName }) => originalName));
    if (byName.size !== saved.length) throw other();
    const found = own.map((weight, i) => {
      const value = byName.get(wanted[i]);
      if (value?.shape.join() !== weight.shape.join() || value.dtype !== weight.read().dtype) throw other();
      return value;
    });
    for (const [i, weight] of own.entries()) weight.write(found[i]);
  });
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

function otherModel(file: string, { kind, config }: ModelSpec): Error {
  const model = `${kind} ${JSON.stringify(config)}`;
  return corrupt(join(dirname(file), 'weights.bin'), `its weights are not those of the model ${model}`);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
