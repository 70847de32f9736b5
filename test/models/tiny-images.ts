import type { Dataset } from '../../src/data/index.js';
import { randomStream } from '../../src/random.js';

export interface TinyOptions {
  classes?: number;
  perClass?: number;
  size?: number;
  channels?: number;
  seed?: number;
}

/** A small dataset that can be learnt: class c is a random pattern of its own under noise; classes alternate. */
export function tinyImages(options: TinyOptions = {}): Dataset {
  const { classes = 4, perClass = 12, size = 8, channels = 1, seed = 7 } = options;
  const pixels = size * size * channels;
  const patterns = Array.from({ length: classes }, (_, c) => randomStream(seed, 'pattern', c).uniforms(pixels));
  const noise = randomStream(seed, 'noise');
  const length = classes * perClass;
  const images = new Uint8Array(length * pixels);
  const labels = Int32Array.from({ length }, (_, i) => 10 + (i % classes));
  for (let i = 0; i < images.length; i++) {
    const pattern = patterns[Math.floor(i / pixels) % classes];
    images[i] = 255 * (0.75 * pattern[i % pixels] + 0.25 * noise.uniform());
  }
  return { name: 'tiny', images, labels, shape: [size, size, channels], length };
}
