import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import type { Matrix } from '../../src/kernels/index.js';
import { convEmbedder, type ModelSpec } from '../../src/models/index.js';
import { type RandomStream, randomStream } from '../../src/random.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { standard, train } from '../../src/training/index.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { changeFile, changeManifest } from './change-manifest.js';

const MODEL = 'step-4/member-1/model.json';
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-changed-'));
const [sound, dir] = [join(folder, 'sound'), join(folder, 'changed')];
const data = tinyImages();
const model = convEmbedder({ embedding: 4, width: 2 });
let embedded: Matrix;
let tensors: number;

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  const method = standard({ members: 2 });
  const ensemble = await train({
    data,
    model,
    method,
    epochs: 1,
    batch: { size: 12 },
    checkpoint: sound,
    backend: 'cpu',
  });
  embedded = await ensemble.embed(data);
  ensemble.dispose();
  tensors = tf.memory().numTensors;
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Loading `dir` ends with ERR_CHECKPOINT that names a file, or with a model, as a rule the one saved; true for the second. */
async function loads(spec?: ModelSpec, same = true): Promise<boolean> {
  const loaded = await loadEnsemble(dir, spec).catch((error) => {
    expect(error).toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringContaining(dir) });
  });
  const now = await loaded?.embed(data);
  if (now) expect(same ? now : now.rows).toEqual(same ? embedded : data.length);
  loaded?.dispose();
  expect(tf.memory().numTensors).toBe(tensors);
  return loaded !== undefined;
}

const fresh = () => cpSync(sound, dir, { recursive: true });

/** Values that a number, a list, a name or a part may not be. */
const ODD = [null, -1, 0, 1.5, 2 ** 31, 1e9, 1e308, '', 'x', '../x', '__proto__', true, [], {}, [1e9, 1e9], { a: [] }];

/** Changes one random place of a JSON value: another value, one more, one less, or one that belongs elsewhere. */
function mutated(value: unknown, random: RandomStream): unknown {
  const places: [object, string][] = [];
  const walk = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      places.push([node, key]);
      walk(child);
    }
  };
  const copy = structuredClone(value);
  walk(copy);
  const [parent, key] = places[random.integer(places.length)] as [Record<string, unknown>, string];
  const [other, from] = places[random.integer(places.length)] as [Record<string, unknown>, string];
  const kind = random.integer(5);
  if (kind === 0) delete parent[key];
  else if (kind === 1) parent[key] = structuredClone(other[from]);
  else if (kind === 2 && Array.isArray(parent)) parent.push(structuredClone(parent[Number(key)]));
  else if (kind === 3 && typeof parent[key] === 'number') parent[key] = parent[key] * 10 ** random.integer(9);
  else parent[key] = structuredClone(ODD[random.integer(ODD.length)]);
  return copy;
}

describe('a checkpoint that was changed, checksums and all, is refused or loads what was saved', () => {
  test.each([
    [LONG ? 1000 : 250, 'by its kind', undefined],
    [250, 'by a specification', { ...model, kind: 'mine', weightShapes: undefined }],
  ])('%i changes of a model.json, %s', async (changes, _, spec) => {
    fresh();
    const saved = JSON.parse(readFileSync(join(dir, MODEL), 'utf8'));
    const random = randomStream(1, 'model.json');
    let loaded = 0;
    for (let i = 0; i < changes; i++) {
      changeFile(dir, MODEL, JSON.stringify(mutated(saved, random)));
      if (await loads(spec)) loaded++;
    }
    // A topology is read by other programs; here it says nothing that the specification does not.
    expect(loaded).toBeGreaterThan(changes / 10);
    expect(loaded).toBeLessThan(changes);
  });

  test('250 changes of the manifest', async () => {
    const random = randomStream(1, 'manifest');
    for (let i = 0; i < 250; i++) {
      fresh();
      changeManifest(dir, (manifest) => {
        const changed = mutated(manifest, random) as object;
        for (const key of Object.keys(manifest)) delete manifest[key];
        Object.assign(manifest, changed);
        // A kind that this package does not know asks for a specification, and is no damage.
        if (typeof manifest.model === 'object') Object.assign(manifest.model ?? {}, { kind: 'conv' });
      });
      // What it lists twice or leaves out makes another ensemble, and a sound one.
      await loads(undefined, false);
    }
  });

  test.each<[string, string, (bytes: Buffer) => Buffer]>([
    ['weights cut short', 'step-4/member-0/weights.bin', (bytes) => bytes.subarray(4)],
    ['weights and a half', 'step-4/member-0/weights.bin', (bytes) => Buffer.concat([bytes, bytes.subarray(2)])],
    ['tensors cut within a value', 'step-4/tensors.bin', (bytes) => bytes.subarray(3)],
    ['images cut within one', 'step-4/images.bin', (bytes) => bytes.subarray(3)],
    ['a model.json that is a list', MODEL, () => Buffer.from('[]')],
    ['a model.json that is no JSON', MODEL, () => Buffer.from('{')],
  ])('%s', async (_, path, change) => {
    fresh();
    changeFile(dir, path, change(readFileSync(join(dir, path))));
    expect(await loads()).toBe(false);
  });

  test('a model that its weights are not of, before it is built', async () => {
    fresh();
    changeManifest(dir, ({ model }) => Object.assign((model as { config: object }).config, { embedding: 1e9 }));
    expect(await loads()).toBe(false);
  });
});

test('a model of auto-named layers comes back by their order, whatever tfjs counted them as', async () => {
  const own: ModelSpec = {
    kind: 'mine',
    config: {},
    build(inputShape, seed) {
      const input = tf.input({ shape: inputShape });
      const dense = () => tf.layers.dense({ units: 3, kernelInitializer: tf.initializers.glorotUniform({ seed }) });
      const flat = tf.layers.flatten().apply(input);
      const layers = tf.model({ inputs: input, outputs: dense().apply(dense().apply(flat)) as tf.SymbolicTensor });
      const apply = (images: tf.Tensor4D) =>
        tf.tidy(() => {
          const raw = layers.apply(images) as tf.Tensor2D;
          return tf.div<tf.Tensor2D>(raw, tf.norm(raw, 2, 1, true));
        });
      const variables = () => layers.trainableWeights.map((weight) => weight.read() as tf.Variable);
      return { layers, inputShape, embedding: 3, apply, variables, dispose: () => void layers.dispose() };
    },
  };
  const out = join(folder, 'mine');
  const trained = await train({ data, model: own, epochs: 1, batch: { size: 12 }, checkpoint: out, backend: 'cpu' });
  const loaded = await loadEnsemble(out, own);
  expect(await loaded.embed(data)).toEqual(await trained.embed(data));
  const [names, then] = [loaded, trained].map(({ members: [{ layers }] }) => layers.weights.map(({ name }) => name));
  expect(names).not.toEqual(then);
  trained.dispose();
  loaded.dispose();
});

test.each<[string, () => unknown]>([
  ['an options object for a model', () => loadEnsemble(sound, { model } as never)],
  ['null for a model', () => loadEnsemble(sound, null as never)],
  ['no folder', () => loadEnsemble(undefined as never)],
  ['a number for a folder', () => loadEnsemble(7 as never)],
])('%s is an error of the argument', async (_, call) => {
  await expect(call()).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringMatching(/model|dir/) });
});
