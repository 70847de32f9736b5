import * as tf from '#tf';
import type { Normalise } from './layers.js';

/** What published weights were trained on, as the first layer of their networks. */
const KINDS = {
  /** torchvision's and timm's: RGB, the means and deviations of ImageNet. */
  imagenet: { bgr: false, scale: 1, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  /** Caffe's, of which BN-Inception's weights come: BGR of 0 to 255, less a mean. */
  'bgr-255': { bgr: true, scale: 255, mean: [104, 117, 128], deviation: [1, 1, 1] },
} as const;

export type Preprocessing = keyof typeof KINDS | 'none';

export const PREPROCESSING = [...Object.keys(KINDS), 'none'] as Preprocessing[];

/** The layer, where there is one. */
export function preprocessingLayers(kind: Preprocessing): Normalise[] {
  return kind === 'none' ? [] : [{ type: 'normalise', ...KINDS[kind] }];
}

/** Images [n, h, w, c] as a network expects them: y = x factor - offset. */
export function normalise(images: tf.Tensor4D, layer: Normalise): tf.Tensor4D {
  const channels = images.shape[3];
  const { factor, offset } = affine(layer, channels);
  const ordered = layer.bgr && channels > 1 ? tf.reverse(images, 3) : images;
  return tf.sub(tf.mul(ordered, tf.tensor1d(factor)), tf.tensor1d(offset));
}

/** Factor and offset of each channel, in the order in which the network sees them. */
export function affine(
  { scale, mean, deviation }: Normalise,
  channels: number,
): { factor: number[]; offset: number[] } {
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [means, deviations] = channels === 1 ? [[average(mean)], [average(deviation)]] : [mean, deviation];
  return {
    factor: deviations.map((deviation) => scale / deviation),
    offset: means.map((mean, i) => mean / deviations[i]),
  };
}
