import * as tf from '@tensorflow/tfjs';
import { proxyAnchor } from '../src/losses/index.js';
import { convEmbedder } from '../src/models/index.js';
import { chooseBackend } from '../src/tfjs/index.js';
import { AdamW } from '../src/training/adamw.js';

await chooseBackend({ backend: 'native' });
// tiny images: what is left is overhead
const net = convEmbedder({ width: 4 }).build([4, 4, 1], 1);
const images = tf.randomUniform([64, 4, 4, 1]) as tf.Tensor4D;
const labels = tf.tensor1d(
  Int32Array.from({ length: 64 }, (_, i) => i % 10),
  'int32',
);
const proxies = tf.variable(tf.randomNormal([10, 64])) as any;
const loss = proxyAnchor();
const opt = new AdamW([
  { variables: net.variables(), learningRate: 1e-3, weightDecay: 1e-4 },
  { variables: [proxies], learningRate: 0.1, weightDecay: 0 },
]);
const time = (name: string, f: () => void) => {
  for (let i = 0; i < 300; i++) f();
  const t: number[] = [];
  for (let i = 0; i < 300; i++) {
    const s = performance.now();
    f();
    t.push(performance.now() - s);
  }
  t.sort((a, b) => a - b);
  console.log(name, 'min', t[0].toFixed(3), 'p25', t[75].toFixed(3));
};
time('whole', () =>
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(
      () => loss(net.apply(images, true), labels, proxies),
      [...net.variables(), proxies],
    );
    opt.update(grads);
    return value.dataSync()[0];
  }),
);
time('grads', () =>
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(
      () => loss(net.apply(images, true), labels, proxies),
      [...net.variables(), proxies],
    );
    return value.dataSync()[0];
  }),
);
const emb = tf.randomNormal([64, 64]) as any;
time('loss grads', () =>
  tf.tidy(() => {
    tf.grads((e, p) => loss(e as any, labels, p as any))([emb, proxies]);
  }),
);
time('net grads', () =>
  tf.tidy(() => {
    tf.variableGrads(() => tf.sum(net.apply(images, true)) as any, net.variables());
  }),
);
const g = tf.tidy(() =>
  tf.variableGrads(() => loss(net.apply(images, true), labels, proxies), [...net.variables(), proxies]),
).grads;
time('adamw', () => opt.update(g));
