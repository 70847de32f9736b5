import * as tf from '#tf';
import { EatDmlError, invalid } from '../errors.js';
import { NativeBackend } from './native/backend.js';
import { look, type Reading } from './reading/readings.js';

/** What each byte is as a float in [0, 1]. */
const LEVELS = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Bytes 0..255 of images [n, h, w, c] as a float32 tensor in [0, 1]: the one place where bytes become floats. */
export function pixelTensor(bytes: Uint8Array, shape: [number, number, number, number]): tf.Tensor4D {
  const backend = tf.backend();
  const size = tf.util.sizeFromShape(shape);
  if (bytes.length !== size) throw invalid('bytes', `${size} of them`, bytes);
  if (backend instanceof NativeBackend) {
    return tf.engine().makeTensorFromTensorInfo(backend.pixels(bytes, shape)) as tf.Tensor4D;
  }
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = LEVELS[bytes[i]];
  return tf.tensor4d(values, shape);
}

/** How far pixels leave [0, 1] in all: 0 where they lie inside, NaN where one is NaN. */
export function outsidePixels(images: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.sum(tf.abs(tf.sub(images, tf.clipByValue(images, 0, 1)))));
}

/** Throws where `images` [n, ...] hold a value outside [0, 1] (ERR_ARGUMENT) or NaN (ERR_NOT_FINITE). */
export function checkPixels(name: string, images: tf.Tensor): void {
  const outside = outsidePixels(images);
  function* allOf(all: tf.Tensor): Reading<void> {
    checkPixelValues(name, yield all, images.size / images.shape[0]);
  }
  try {
    look(outside, ([sum], all) => (sum === 0 ? undefined : allOf(all)), { kept: [images] });
  } finally {
    outside.dispose();
  }
}

/** {@link checkPixels} of values, `size` of them an image; `first` is the number of the first image. */
export function checkPixelValues(name: string, values: ArrayLike<number>, size: number, first = 0): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value >= 0 && value <= 1) continue;
    const where = `but received ${value} in image ${first + Math.floor(i / size)}.`;
    if (Number.isNaN(value)) throw new EatDmlError('ERR_NOT_FINITE', `Expected finite pixels in ${name} ${where}`);
    throw new EatDmlError('ERR_ARGUMENT', `Expected pixels in [0, 1] in ${name} ${where}`, {
      hint: 'Bytes are divided by 255; whatever else a network wants of its input is its own first layer.',
    });
  }
}
