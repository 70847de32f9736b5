/**
 * Whether training keeps memory: `npx tsx bench/steady-memory.ts [steps] [conv|resnet18]`: steps (10000) of a small network or of ResNet-18 on the backend native,
 * its images moved by an attack's gradient each time; of every tenth the tensors and the least resident memory (garbage comes and
 * goes). Exits 1 where there are more tensors at the end, or the second half's least memory is above the first's, whose first
 * tenth is the warm-up and does not count.
 */
import * as tf from '@tensorflow/tfjs';
import { proxyAnchor } from '../src/losses/index.js';
import { convEmbedder, resnet18 } from '../src/models/index.js';
import { randomStream } from '../src/random.js';
import { chooseBackend } from '../src/tfjs/index.js';
import { AdamW } from '../src/training/adamw.js';

/** Growth that counts as none: 10000 steps that kept one number each more would pass, one that kept a feature map not. */
const ALLOWED_BYTES = 16e6;

const count = Number(process.argv[2] ?? 10_000);
await chooseBackend({ backend: 'native' });
const nets = {
  conv: { model: convEmbedder({ dimension: 16, width: 8 }), shape: [32, 16, 16, 1] },
  resnet18: { model: resnet18({ dimension: 16, preprocessing: 'none' }), shape: [8, 32, 32, 3] },
};
const { model, shape } = nets[(process.argv[3] ?? 'conv') as keyof typeof nets];
const [batch, ...imageShape] = shape as [number, number, number, number];
const net = model.build(imageShape, 1);
const pixels = Float32Array.from(randomStream(1, 'images').uniforms(tf.util.sizeFromShape(shape)));
const images = tf.tensor4d(pixels, [batch, ...imageShape]);
const labels = tf.tensor1d(
  Int32Array.from({ length: batch }, (_, i) => i % 4),
  'int32',
);
const start = Float32Array.from(randomStream(1, 'proxies').uniforms(64), (u) => u - 0.5);
const proxies = tf.variable<tf.Rank.R2>(tf.tensor2d(start, [4, 16]));
const variables = [...net.variables(), proxies as unknown as tf.Variable];
const optimizer = new AdamW([{ variables, learningRate: 1e-4, weightDecay: 1e-4 }]);
const loss = proxyAnchor();

function step(): number {
  return tf.tidy(() => {
    const frozen = net.apply.frozen!().apply;
    const byImages = tf.grad((x) => loss(frozen(x as tf.Tensor4D), labels, proxies))(images);
    const attacked = tf.add<tf.Tensor4D>(images, tf.mul(tf.sign(byImages), 0.05));
    const { value, grads } = tf.variableGrads(() => loss(net.apply(attacked, true), labels, proxies), variables);
    optimizer.update(grads);
    return value.dataSync()[0];
  });
}

const marks: { tensors: number; resident: number }[] = [];
let resident = Number.POSITIVE_INFINITY;
for (let i = 1; i <= count; i++) {
  const value = step();
  if (i % 10 === 0) resident = Math.min(resident, process.memoryUsage.rss());
  if (i % Math.ceil(count / 10) !== 0) continue;
  const mark = { tensors: tf.memory().numTensors, resident };
  marks.push(mark);
  resident = Number.POSITIVE_INFINITY;
  console.log(`${i} steps: loss ${value.toFixed(4)}, ${mark.tensors} tensors, ${(mark.resident / 1e6).toFixed(1)} MB`);
}
const half = Math.floor(marks.length / 2);
const least = (part: typeof marks) => Math.min(...part.map(({ resident }) => resident));
const grown = least(marks.slice(half)) - least(marks.slice(1, half));
const flat = marks.at(-1)!.tensors === marks[0].tensors && grown < ALLOWED_BYTES;
console.log(flat ? 'flat' : 'it grew');
process.exitCode = flat ? 0 : 1;
