import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { customOpTests } from './custom-op-tests.js';
import { customOpsPath, describeTensorflow } from './describe-tensorflow.js';
import { tensorflowBackend } from './tensorflow.js';

describeTensorflow('custom ops', () => customOpTests(customOpsPath));

// Where oneDNN divides by zero, it ends the process.
describeTensorflow('a convolution of 1 x 1 from 256 to 1,024 channels, as in ResNet-50', () => {
  test('is the product that it is', async () => {
    await tensorflowBackend();
    expect(process.env.TF_ENABLE_ONEDNN_OPTS).toBeDefined();
    const [x, filter] = [tf.randomNormal<tf.Rank.R4>([2, 2, 2, 256]), tf.randomNormal<tf.Rank.R4>([1, 1, 256, 1024])];
    const convolved = tf.conv2d(x, filter, 1, 'valid');
    const product = tf.reshape(tf.matMul(tf.reshape(x, [8, 256]), tf.reshape(filter, [256, 1024])), [2, 2, 2, 1024]);
    const worst = tf.max(tf.abs(tf.sub(convolved, product)));
    expect(worst.dataSync()[0]).toBeLessThan(1e-3);
    tf.dispose([x, filter, convolved, product, worst]);
  });
});
