import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { objective, pgd, runAttack } from '../../src/attacks/index.js';
import { hasCheckpoint, loadEnsemble } from '../../src/checkpoints/index.js';
import { runConfig } from '../../src/config/index.js';
import { evaluate } from '../../src/evaluation/index.js';
import { type Embedder, Ensemble, fromFunction, fromGraphModel, fromLayersModel } from '../../src/models/index.js';
import { train } from '../../src/training/index.js';
import { CONFIGURED_ATTACKS, threeAttacks } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { tinyImages } from './tiny-images.js';

const data = tinyImages({ classes: 3, perClass: 6 });
const images = () => tf.randomUniform<tf.Rank.R4>([4, 8, 8, 1], 0, 1, 'float32', 3);

beforeAll(() => tf.setBackend('cpu'));

/** A model as Keras builds them; features of any length. */
function keras(seed = 1): tf.LayersModel {
  const initial = (of: number) => tf.initializers.heNormal({ seed: seed * 100 + of });
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, kernelInitializer: initial(1) }),
      tf.layers.batchNormalization(),
      tf.layers.reLU(),
      tf.layers.globalAveragePooling2d({} as never),
      tf.layers.dense({ units: 5, kernelInitializer: initial(2) }),
    ],
  });
}

/** Attack and evaluation change nothing that the embedder does not allow, and work. */
async function expectUsable(embedder: Embedder): Promise<void> {
  const [start, settings] = [images(), pgd({ epsilon: 0.1, steps: 3 })];
  const attacked = runAttack({
    model: embedder,
    images: start,
    objective: objective('embedding-shift'),
    settings,
    seed: 1,
  });
  expect(tf.max(tf.abs(tf.sub(attacked, start))).dataSync()[0]).toBeGreaterThan(0.05);
  tf.dispose([start, attacked]);
  passChecks();
  const report = await evaluate(new Ensemble([embedder]), data, {
    attacks: threeAttacks(),
    epsilon: 0.1,
    backend: 'cpu',
    clusterRestarts: 1,
    bootstrap: 0,
  });
  expect(report.worst.scores.nmi!).toBeLessThanOrEqual(report.clean.nmi!);
}

describe('a tfjs-layers model', () => {
  test('embeds as unit rows, is attacked and evaluated, and gives its variables', async () => {
    const model = keras();
    const embedder = fromLayersModel(model);
    tf.tidy(() => {
      const rows = model.predict(images()) as tf.Tensor2D;
      const expected = tf.div(rows, tf.norm(rows, 2, 1, true));
      expect(tf.max(tf.abs(tf.sub(embedder.apply(images()), expected))).dataSync()[0]).toBeLessThan(1e-6);
    });
    expect([embedder.inputShape, embedder.embedding]).toEqual([[8, 8, 1], 5]);
    expect([embedder.weights.size, embedder.variables().length]).toEqual([8, 6]);
    await expectUsable(embedder);
    embedder.dispose();
  });

  test('is trained as a specification that makes one for each member, and comes back from its checkpoint', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'eat-dml-foreign-'));
    const model = { kind: 'mine', config: {}, build: (_: unknown, seed: number) => fromLayersModel(keras(seed)) };
    const trained = await train({ data, model, epochs: 2, batch: { size: 6 }, checkpoint: folder, backend: 'cpu' });
    expect(trained.history.losses[1]).not.toBe(trained.history.losses[0]);
    const loaded = await loadEnsemble(folder, model);
    expect((await loaded.embed(data)).data).toEqual((await trained.embed(data)).data);
    for (const ensemble of [trained, loaded]) ensemble.dispose();
    rmSync(folder, { recursive: true });
  });

  test('of other shapes is refused', () => {
    const flat = tf.sequential({ layers: [tf.layers.dense({ inputShape: [4], units: 2 })] });
    expect(() => fromLayersModel(flat)).toThrow('Expected a model of images [n, h, w, c] but received [, 4].');
    const maps = tf.sequential({ layers: [tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 2, kernelSize: 3 })] });
    expect(() => fromLayersModel(maps)).toThrow(/^Expected one input of images and one output \[n, d\] for model/);
    expect(() => fromLayersModel({} as tf.LayersModel)).toThrow(
      'Expected a tfjs-layers model that is not disposed for model',
    );
  });
});

/** A graph model in memory, as the converter writes them: relu(mean over the image) x kernel. */
function graph(sides: number[] = [8, 8]): tf.io.ModelArtifacts {
  const dims = [-1, ...sides, 3].map((size) => ({ size: String(size) }));
  const axes = { name: 'axes', shape: [2], dtype: 'int32' as const };
  const kernel = { name: 'kernel', shape: [3, 4], dtype: 'float32' as const };
  const constant = (name: string, dtype: string) => ({ name, op: 'Const', attr: { dtype: { type: dtype } } });
  const values = Buffer.concat([
    Buffer.from(new Int32Array([1, 2]).buffer),
    Buffer.from(Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)).buffer),
  ]);
  return {
    format: 'graph-model',
    weightSpecs: [axes, kernel],
    weightData: new Uint8Array(values).buffer,
    modelTopology: {
      versions: { producer: 1 },
      node: [
        { name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: dims } } } },
        constant('axes', 'DT_INT32'),
        constant('kernel', 'DT_FLOAT'),
        { name: 'mean', op: 'Mean', input: ['x', 'axes'], attr: { keep_dims: { b: false }, T: { type: 'DT_FLOAT' } } },
        { name: 'rows', op: 'MatMul', input: ['mean', 'kernel'], attr: { T: { type: 'DT_FLOAT' } } },
      ],
    },
  };
}

test('a graph model embeds, is attacked, and has nothing to train', async () => {
  const model = await tf.loadGraphModel(tf.io.fromMemory(graph()));
  const embedder = fromGraphModel(model, { preprocess: (x) => tf.sub(tf.mul(x, 2), 1) });
  expect([embedder.inputShape, embedder.embedding, embedder.variables()]).toEqual([[8, 8, 3], 4, []]);
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const pixels = tf.randomUniform<tf.Rank.R4>([3, 8, 8, 3], 0, 1, 'float32', 1);
    expect(Array.from(tf.norm(embedder.apply(pixels), 2, 1).dataSync())).toEqual(
      [1, 1, 1].map(() => expect.closeTo(1, 5)),
    );
    const gradient = tf.grad((x) => tf.sum(tf.mul(embedder.apply(x as tf.Tensor4D), tf.range(0, 4))))(pixels);
    expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(0);
  });
  expect(tf.memory().numTensors).toBe(before);
  embedder.dispose();
  const open = await tf.loadGraphModel(tf.io.fromMemory(graph([-1, -1])));
  expect(() => fromGraphModel(open)).toThrow(/^Expected a model of images \[n, h, w, c\] but received/);
  const given = fromGraphModel(open, { inputShape: [4, 4, 3] });
  expect(given.embedding).toBe(4);
  given.dispose();
});

test('a graph model is read from the disk as docs/models.md says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eat-dml-graph-'));
  const { weightSpecs, weightData, ...model } = graph();
  writeFileSync(join(folder, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer));
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ ...model, weightsManifest }));
  const fetchFunc = async (url: string | URL | Request) => new Response(await readFile(new URL(String(url))));
  const address = pathToFileURL(join(folder, 'model.json')).href;
  const embedder = fromGraphModel(await tf.loadGraphModel(tf.io.http(address, { fetchFunc })));
  expect([embedder.inputShape, embedder.embedding]).toEqual([[8, 8, 3], 4]);
  embedder.dispose();
  rmSync(folder, { recursive: true });
});

describe('a function', () => {
  const mean = (x: tf.Tensor4D) => tf.reshape(tf.avgPool(x, 4, 4, 'valid'), [x.shape[0], -1]);

  test('embeds, is attacked and evaluated', () =>
    expectUsable(fromFunction(mean, { inputShape: [8, 8, 1], dimension: 4 })));

  test('that returns something else is told so', () => {
    const wrong = fromFunction(mean, { inputShape: [8, 8, 1], dimension: 3 });
    expect(() => tf.tidy(() => wrong.apply(images()))).toThrow(
      'Expected a float32 tensor [4, 3] for the embeddings but received a float32 tensor [4, 4].',
    );
    const later = fromFunction((async () => 1) as never, { inputShape: [8, 8, 1], dimension: 3 });
    expect(() => later.apply(images())).toThrow(/^Expected a float32 tensor \[4, 3\] for the embeddings/);
  });

  test('that throws, or is given other images, is told so', () => {
    const broken = fromFunction((x) => tf.matMul(x as never, x as never, false, false).slice([0], [99]), {
      ...{ inputShape: [8, 8, 1], dimension: 3 },
    });
    expect(() => broken.apply(images())).toThrow(/^Expected the network to take its images but it threw: /);
    const small = fromFunction(mean, { inputShape: [4, 4, 1], dimension: 1 });
    expect(() => small.apply(images())).toThrow('Expected a float32 tensor [n, 4, 4, 1] for images');
  });

  test('may give features of any length, which neither attack nor training nor evaluation takes', async () => {
    const raw = fromFunction(mean, { inputShape: [8, 8, 1], dimension: 4, unitNorm: false });
    await expect(evaluate(new Ensemble([raw]), data, { backend: 'cpu' })).rejects.toThrow(/unit length/);
    const model = { kind: 'raw', config: {}, build: () => raw };
    await expect(train({ data, model, backend: 'cpu' })).rejects.toThrow(/unit length/);
    const attack = { objective: objective('embedding-shift'), settings: pgd({ epsilon: 0.1 }), seed: 1 };
    expect(() => runAttack({ model: raw, images: images(), ...attack })).toThrow(
      'Expected one with unit rows for model',
    );
  });
});

describe('a module of one’s own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'eat-dml-module-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const moduleOf = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  test('is the model of a configuration, and comes back from the run', async () => {
    passChecks();
    const out = join(folder, 'run');
    const path = moduleOf(
      'model.mjs',
      `import { convEmbedder } from ${JSON.stringify(join(process.cwd(), 'src/models/index.ts'))};
       export default (shape, seed) => convEmbedder({ dimension: 3, width: 2 }).build(shape, seed);`,
    );
    const { ensemble } = await runConfig(
      {
        data: { name: 'fashion-mnist', perClass: 8 },
        model: { kind: 'module', path },
        method: { name: 'standard' },
        training: { epochs: 1, batch: { size: 20 } },
        evaluation: { attacks: CONFIGURED_ATTACKS, count: 20, clusterRestarts: 1, bootstrap: 0 },
        backend: 'cpu',
      },
      { out },
    );
    expect(await hasCheckpoint(out)).toBe(true);
    const loaded = await loadEnsemble(out);
    expect(loaded.embedding).toBe(3);
    for (const one of [ensemble, loaded]) one.dispose();
  });

  test('that is a single embedder is one network, not several members', async () => {
    const path = moduleOf(
      'single.mjs',
      `import { convEmbedder } from ${JSON.stringify(join(process.cwd(), 'src/models/index.ts'))};
       export default convEmbedder({ dimension: 3, width: 2 }).build([28, 28, 1], 1);`,
    );
    const config = {
      model: { kind: 'module', path },
      method: { name: 'ensemble-at', attack: { epsilon: 0.1 } },
    } as const;
    const data = { name: 'fashion-mnist', perClass: 8 } as const;
    await expect(runConfig({ ...config, data, backend: 'cpu' })).rejects.toThrow(/but it exports a single embedder\.$/);
  });

  test.each([
    ['none.mjs', undefined, /^Expected a module that loads at .*none\.mjs but received: /],
    [
      'empty.mjs',
      'export const a = 1;',
      /^Expected a model specification, .* as the default export of .* but received undefined\.$/,
    ],
    ['throws.mjs', 'throw new Error("no");', /^Expected a module that loads at .*throws\.mjs but received: no\.$/],
  ])('%s is refused', async (name, text, message) => {
    const path = text === undefined ? join(folder, name) : moduleOf(name, text);
    await expect(runConfig({ model: { kind: 'module', path } })).rejects.toThrow(message);
  });
});
