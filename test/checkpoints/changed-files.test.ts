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
import { QUICKER } from '../evaluation/brief.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { changeFile, changeManifest } from './change-manifest.js';

const MEMBER = 'step-4/member-1.safetensors';
const OLD_MODEL = 'step-5/member-1/model.json';
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-changed-'));
const [sound, dir] = [join(folder, 'sound'), join(folder, 'changed')];
const data = tinyImages();
const model = convEmbedder({ dimension: 4, width: 2 });
let embedded: Matrix;
let tensors: number;

beforeAll(async () => {
  await chooseBackend({ backend: QUICKER });
  const method = standard({ members: 2 });
  const ensemble = await train({
    data,
    model,
    method,
    epochs: 1,
    batch: { size: 12 },
    checkpoint: sound,
    backend: QUICKER,
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
    [LONG ? 1000 : 100, 'by its kind', undefined],
    [LONG ? 250 : 60, 'by a specification', { ...model, kind: 'mine', weightShapes: undefined }],
  ])('%i changes of the header of a member, %s', async (changes, _, spec) => {
    fresh();
    const bytes = readFileSync(join(dir, MEMBER));
    const length = Number(bytes.readBigUInt64LE());
    const saved = JSON.parse(bytes.toString('utf8', 8, 8 + length));
    const random = randomStream(1, 'header');
    let loaded = 0;
    for (let i = 0; i < changes; i++) {
      const header = Buffer.from(JSON.stringify(mutated(saved, random)));
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(header.length));
      changeFile(dir, MEMBER, Buffer.concat([size, header, bytes.subarray(8 + length)]));
      if (await loads(spec, false)) loaded++;
    }
    // What is said twice of a member is said the same, and of its weights nothing that can be said otherwise.
    expect(loaded).toBeGreaterThan(0);
    expect(loaded).toBeLessThan(changes / 4);
  });

  test('changes of a model.json of version 1', async () => {
    const changes = LONG ? 500 : 60;
    const [before, old] = [embedded, 'test/goldens/checkpoint-1'];
    rmSync(dir, { recursive: true, force: true });
    cpSync(old, dir, { recursive: true });
    const ensemble = await loadEnsemble(dir);
    embedded = await ensemble.embed(data);
    ensemble.dispose();
    const saved = JSON.parse(readFileSync(join(dir, OLD_MODEL), 'utf8'));
    const random = randomStream(1, 'model.json');
    let loaded = 0;
    for (let i = 0; i < changes; i++) {
      changeFile(dir, OLD_MODEL, JSON.stringify(mutated(saved, random)));
      if (await loads()) loaded++;
    }
    embedded = before;
    rmSync(dir, { recursive: true });
    // A topology is read by other programs; here it says nothing that the specification does not.
    expect(loaded).toBeGreaterThan(changes / 10);
    expect(loaded).toBeLessThan(changes);
  });

  test('changes of the manifest', async () => {
    const random = randomStream(1, 'manifest');
    for (let i = 0; i < (LONG ? 250 : 80); i++) {
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
    ['weights cut short', 'step-4/member-0.safetensors', (bytes) => bytes.subarray(0, -4)],
    ['weights and a half', 'step-4/member-0.safetensors', (bytes) => Buffer.concat([bytes, bytes.subarray(2)])],
    ['tensors cut within a value', 'step-4/training.safetensors', (bytes) => bytes.subarray(0, -3)],
    ['images cut within one', 'step-4/images.bin', (bytes) => bytes.subarray(3)],
    [
      'a member that is the tensors of the trainer',
      MEMBER,
      () => readFileSync(join(dir, 'step-4/training.safetensors')),
    ],
    ['a member that is no safetensors file', MEMBER, () => Buffer.from('{')],
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
      const weights = new Map(layers.weights.map((weight) => [weight.originalName, weight.read() as tf.Variable]));
      return { weights, inputShape, embedding: 3, apply, variables, dispose: () => void layers.dispose() };
    },
  };
  const out = join(folder, 'mine');
  const trained = await train({ data, model: own, epochs: 1, batch: { size: 12 }, checkpoint: out, backend: QUICKER });
  const loaded = await loadEnsemble(out, own);
  expect(await loaded.embed(data)).toEqual(await trained.embed(data));
  const [names, then] = [loaded, trained].map(({ members: [{ weights }] }) => [...weights.keys()]);
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
