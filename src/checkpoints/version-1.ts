import { join } from 'node:path';
import { z } from 'zod';
import type { ImageShape } from '../models/index.js';
import { checked, corrupt, type Manifest, parseObject, readEntry } from './manifest.js';
import type { SavedMember, SavedTensors } from './read-member.js';

/** Checkpoints of version 0.1.0: members as tfjs-layers models, of which nothing but the weights is read. */

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
      weights: z.array(z.object({ name: z.string().max(1000), shape: z.array(size), dtype: z.literal('float32') })),
    }),
  ]),
});

export async function readMember1(dir: string, manifest: Manifest, folder: string): Promise<SavedMember> {
  const [path, weightPath] = [`${folder}/model.json`, `${folder}/weights.bin`];
  const [file, weightFile] = [join(dir, path), join(dir, weightPath)];
  const text = new TextDecoder().decode(await readEntry(dir, manifest, path));
  const { modelTopology, weightsManifest } = checked(file, parseObject(file, text), modelSchema);
  const inputShape = modelTopology.config.layers[0].config.batch_input_shape.slice(1) as ImageShape;
  const expected = manifest.model.inputShape ?? inputShape;
  if (inputShape.join() !== expected.join()) throw corrupt(file, `it takes images ${inputShape}, not ${expected}`);
  const bytes = await readEntry(dir, manifest, weightPath);
  return { file: weightFile, inputShape, weights: inTurn(weightFile, bytes, weightsManifest[0].weights) };
}

export function tensorsIn1(file: string, bytes: Uint8Array, { tensors }: Manifest): SavedTensors {
  return inTurn(file, bytes, tensors ?? []);
}

/** Float32 tensors whose values stand one after another. */
function inTurn(file: string, bytes: Uint8Array, specs: readonly { name: string; shape: number[] }[]): SavedTensors {
  const sizes = specs.map(({ shape }) => shape.reduce((product, n) => product * n, 1));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes.length !== 4 * total) throw corrupt(file, `it holds ${bytes.length} bytes, not ${4 * total}`);
  const all = new Float32Array(new Uint8Array(bytes).buffer);
  const read: SavedTensors = new Map();
  let offset = 0;
  for (const [i, { name, shape }] of specs.entries()) {
    if (read.has(name)) throw corrupt(file, `it holds two tensors ${JSON.stringify(name)}`);
    read.set(name, { shape, values: all.slice(offset, offset + sizes[i]) });
    offset += sizes[i];
  }
  return read;
}
