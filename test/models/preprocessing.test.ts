import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { normalise, type Preprocessing, preprocessingLayers } from '../../src/models/preprocessing.js';

beforeAll(() => tf.setBackend('cpu'));

function seen(kind: Preprocessing, pixel: number[]): number[] {
  return tf.tidy(() => {
    const image = tf.tensor4d(pixel, [1, 1, 1, pixel.length]);
    return Array.from(normalise(image, preprocessingLayers(kind)[0]).dataSync());
  });
}

const close = (values: number[]) => values.map((value) => expect.closeTo(value, 4));

test('colours are seen less their means, over their deviations; blue first and of 0 to 255 where Caffe had them so', () => {
  const [red, green, blue] = [0.1, 0.5, 0.9];
  const imagenet = [(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225];
  expect(seen('imagenet', [red, green, blue])).toEqual(close(imagenet));
  expect(seen('bgr-255', [red, green, blue])).toEqual(close([255 * blue - 104, 255 * green - 117, 255 * red - 128]));
});

test('grey takes the averages of the three means and of the three deviations', () => {
  expect(seen('imagenet', [0.6])).toEqual(close([(0.6 - (0.485 + 0.456 + 0.406) / 3) / ((0.229 + 0.224 + 0.225) / 3)]));
  expect(seen('bgr-255', [0.6])).toEqual(close([255 * 0.6 - (104 + 117 + 128) / 3]));
});
