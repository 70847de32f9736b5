import * as tf from '@tensorflow/tfjs';
import { proxyAnchor } from '/work/main/src/losses/index.js';
import { convEmbedder } from '/work/main/src/models/index.js';
import { attackStepTensor, chooseBackend, startKernelProfile, stopKernelProfile } from '/work/main/src/tfjs/index.js';
import { AdamW } from '/work/main/src/training/adamw.js';

await chooseBackend({ backend: 'native' });
const net = convEmbedder({}).build([28, 28, 1], 1);
const images = tf.randomUniform([64, 28, 28, 1]) as tf.Tensor4D;
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
const train = () =>
  tf.tidy(() => {
    const { value, grads } = tf.variableGrads(
      () => loss(net.apply(images, true), labels, proxies),
      [...net.variables(), proxies],
    );
    opt.update(grads);
    return value.dataSync()[0];
  });
const attack = () =>
  tf.tidy(() => {
    const gradient = tf.grad((x) => loss(net.apply(x as any), labels, proxies))(images) as any;
    return attackStepTensor({
      origin: images,
      current: images,
      gradient,
      norm: 'linf',
      epsilon: 0.1,
      stepSize: 0.02,
      box: [0, 1],
    }).dataSync()[0];
  });
for (const [name, f] of [
  ['train', train],
  ['attack', attack],
] as const) {
  for (let i = 0; i < 20; i++) f();
  startKernelProfile();
  const t: number[] = [];
  const N = 40;
  for (let i = 0; i < N; i++) {
    const s = performance.now();
    f();
    t.push(performance.now() - s);
  }
  const p = stopKernelProfile()!;
  t.sort((a, b) => a - b);
  console.log(
    name,
    'median',
    t[N / 2].toFixed(2),
    'min',
    t[0].toFixed(2),
    'kernels',
    (p.kernels.reduce((s, k) => s + k.milliseconds, 0) / N).toFixed(2),
    'of',
    (p.milliseconds / N).toFixed(2),
  );
  for (const k of p.kernels.slice(0, 22))
    console.log(
      '  ',
      k.kernel.padEnd(26),
      k.path.padEnd(10),
      String(k.calls / N).padStart(5),
      (k.milliseconds / N).toFixed(3).padStart(8),
      k.flops ? (k.flops / k.milliseconds / 1e6).toFixed(1) : '',
    );
}
