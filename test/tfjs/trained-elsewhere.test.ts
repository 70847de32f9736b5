import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { proxyAnchor } from '../../src/losses/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { toLayersModel } from '../../src/models/tfjs-layers.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { AdamW } from '../../src/training/adamw.js';
import { describeNative } from './backends.js';
import { difference } from './close.js';
import { tensor } from './native.js';

type Name = 'native' | 'cpu';

const images = () => tf.abs(tensor([9, 8, 8, 1], 'images')) as tf.Tensor4D;

/** Trains a little on one backend; what it saves, and its embeddings there. */
async function trainedOn(backend: Name) {
  await chooseBackend({ backend });
  const embedder = convEmbedder({ dimension: 6, width: 4 }).build([8, 8, 1], 3);
  const proxies = tf.variable(tensor([3, 6], 'proxies')) as tf.Variable<tf.Rank.R2>;
  const variables = [...embedder.variables(), proxies as unknown as tf.Variable];
  const optimizer = new AdamW([{ variables, learningRate: 1e-2, weightDecay: 1e-3 }]);
  const loss = proxyAnchor();
  const losses = Array.from({ length: 20 }, () =>
    tf.tidy(() => {
      const labels = tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1, 2], 'int32');
      const { value, grads } = tf.variableGrads(() => loss(embedder.apply(images(), true), labels, proxies), variables);
      optimizer.update(grads);
      return value.dataSync()[0];
    }),
  );
  let saved: tf.io.ModelArtifacts | undefined;
  const layers = toLayersModel([embedder]);
  await layers.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  layers.dispose();
  const embeddings = Array.from(tf.tidy(() => embedder.apply(images()).dataSync()));
  embedder.dispose();
  optimizer.dispose();
  proxies.dispose();
  return { saved: saved!, embeddings, losses };
}

/** The saved layers, run by tfjs itself. */
async function embeddedOn(backend: Name, saved: tf.io.ModelArtifacts) {
  await chooseBackend({ backend });
  const layers = await tf.loadLayersModel(tf.io.fromMemory(saved));
  const rows = tf.tidy(() => {
    return Array.from((layers.predict(images()) as tf.Tensor2D).dataSync());
  });
  layers.dispose();
  return rows;
}

describeNative('a model that was trained on another backend', () => {
  test.each([
    ['native', 'cpu'],
    ['cpu', 'native'],
  ] as const)('trained on %s, loaded by tfjs on %s', async (from, to) => {
    const { saved, embeddings, losses } = await trainedOn(from);
    expect(losses.at(-1)).toBeLessThan(losses[0]);
    expect(difference(await embeddedOn(to, saved), embeddings)).toBeLessThanOrEqual(1e-4);
  });

  test('twenty steps on native and on cpu end at one loss', async () => {
    const [native, cpu] = [await trainedOn('native'), await trainedOn('cpu')];
    expect(difference(native.losses, cpu.losses)).toBeLessThanOrEqual(1e-3);
  });
});
