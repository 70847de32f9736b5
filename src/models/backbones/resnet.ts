import * as tf from '@tensorflow/tfjs';
import { randomStream } from '../../random.js';
import { batchNormTraining, meanPool } from '../../tfjs/index.js';
import type { EmbedImages } from '../embedder.js';

/** What the benchmark of a training step needs of a network. */
export interface BenchNet {
  variables(): tf.Variable[];
  apply: EmbedImages;
}

const EPSILON = 1e-5;

/** ResNet-18 (He et al., 2016) with an embedding of 64 columns, by tfjs's operations and this package's batch normalisation. */
export function resnet18(channels: number, seed: number): BenchNet {
  const variables: tf.Variable[] = [];
  const weights = (name: string, shape: number[], scale: number) => {
    const { normal } = randomStream(seed, name);
    const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => normal() * scale);
    variables.push(tf.variable(tf.tensor(values, shape)));
    return variables.at(-1)!;
  };
  const filled = (value: number, size: number) => {
    variables.push(tf.variable(tf.fill([size], value)));
    return variables.at(-1)! as tf.Tensor as tf.Tensor1D;
  };
  const unit = (name: string, size: number, from: number, to: number, strides: number) => {
    const filter = weights(
      name,
      [size, size, from, to],
      Math.sqrt(2 / (size * size * from)),
    ) as tf.Tensor as tf.Tensor4D;
    const [scale, offset] = [filled(1, to), filled(0, to)];
    return (x: tf.Tensor4D, activation: 'relu' | 'none', training: boolean) => {
      const z = tf.conv2d(x, filter, strides, 'same');
      if (training) return batchNormTraining(z, scale, offset, { epsilon: EPSILON, activation }).y;
      const y = tf.batchNorm(z, tf.zeros([to]), tf.ones([to]), offset, scale, EPSILON) as tf.Tensor4D;
      return activation === 'relu' ? tf.relu(y) : y;
    };
  };
  const stem = unit('stem', 7, channels, 64, 2);
  const blocks = [64, 64, 128, 128, 256, 256, 512, 512].map((to, i) => {
    const from = i === 0 ? 64 : [64, 64, 128, 128, 256, 256, 512, 512][i - 1];
    const strides = to === from ? 1 : 2;
    const first = unit(`${i} first`, 3, from, to, strides);
    const second = unit(`${i} second`, 3, to, to, 1);
    const shortcut = to === from ? undefined : unit(`${i} shortcut`, 1, from, to, strides);
    return (x: tf.Tensor4D, training: boolean) => {
      const y = second(first(x, 'relu', training), 'none', training);
      return tf.relu(tf.add<tf.Tensor4D>(y, shortcut ? shortcut(x, 'none', training) : x));
    };
  });
  const dense = weights('dense', [512, 64], 0.05) as tf.Tensor as tf.Tensor2D;
  return {
    variables: () => variables,
    apply(images, training = false) {
      let x = tf.maxPool(stem(images, 'relu', training), 3, 2, 'same');
      for (const block of blocks) x = block(x, training);
      return tf.matMul(meanPool(x), dense);
    },
  };
}
