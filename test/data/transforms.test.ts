import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  outputSide,
  parseTransform,
  type TransformOptions,
  type ViewRandom,
  viewOf,
} from '../../src/data/transforms.js';
import { randomStream } from '../../src/random.js';

interface Centre {
  size: [number, number];
  resize: number;
  crop: number;
  width: number;
  height: number;
  left: number;
  top: number;
}
interface Random {
  size: [number, number];
  start: number;
  scale: [number, number];
  ratio: [number, number];
  part: { left: number; top: number; width: number; height: number };
}
const views: { centre: Centre[]; random: Random[] } = JSON.parse(
  readFileSync(new URL('./fixtures/images/views.json', import.meta.url), 'utf8'),
);

/** The numbers that make-views.py gave torchvision. */
function prescribed(start: number): ViewRandom {
  let i = start;
  const uniform = () => (++i * 0.6180339887498949) % 1;
  return { uniform, integer: (bound) => Math.floor(bound * uniform()) };
}

test('the centre is torchvision’s, also where the margin is odd', () => {
  for (const { size, resize, crop, ...expected } of views.centre) {
    const seen = viewOf(parseTransform({ resize, crop }), { width: size[0], height: size[1] });
    const at = seen.crop && { left: seen.crop.left, top: seen.crop.top };
    expect({ ...seen.resized, ...at }, `${size} ${resize} ${crop}`).toEqual(expected);
    expect(seen.crop).toMatchObject({ width: crop, height: crop });
  }
});

test('random parts are torchvision’s of the same numbers, and the centre where none fits', () => {
  for (const { size, start, scale, ratio, part } of views.random) {
    const transform = parseTransform({ randomResizedCrop: 24, scale, ratio });
    const seen = viewOf(transform, { width: size[0], height: size[1] }, prescribed(start));
    expect(seen, `${size} ${start}`).toEqual({ part, resized: { width: 24, height: 24 }, flip: false });
  }
});

test('random parts lie inside and have their share and ratio', () => {
  const transform = parseTransform({ randomResizedCrop: 24, scale: [0.2, 0.5], ratio: [0.5, 2] });
  const shares: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const size = { width: 100 + (i % 300), height: 400 - (i % 300) };
    const { left, top, width, height } = viewOf(transform, size, randomStream(1, i)).part!;
    expect(left >= 0 && top >= 0 && left + width <= size.width && top + height <= size.height).toBe(true);
    shares.push((width * height) / (size.width * size.height));
    expect(width / height).toBeGreaterThan(0.48);
    expect(width / height).toBeLessThan(2.1);
  }
  expect(Math.min(...shares)).toBeGreaterThan(0.18);
  expect(Math.max(...shares)).toBeLessThan(0.52);
  expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeCloseTo(0.35, 1);
});

test('half of the random views are mirrored, none of evaluation’s', () => {
  const transform = parseTransform({ resize: 10, flip: true });
  const size = { width: 20, height: 10 };
  const flips = Array.from({ length: 1000 }, (_, i) => viewOf(transform, size, randomStream(7, i)).flip);
  expect(flips.filter(Boolean).length).toBeGreaterThan(450);
  expect(flips.filter(Boolean).length).toBeLessThan(550);
  expect(viewOf(transform, size).flip).toBe(false);
});

test('of a random resized crop alone, evaluation sees the centre, as 224 of 256', () => {
  const view = viewOf(parseTransform({ randomResizedCrop: 224, flip: true }), { width: 500, height: 375 });
  const crop = { left: 58, top: 16, width: 224, height: 224 };
  expect(view).toEqual({ resized: { width: 341, height: 256 }, crop, flip: false });
});

describe('options', () => {
  test.each<[TransformOptions, number]>([
    [{ resize: 256, crop: 224 }, 224],
    [{ resize: 256 }, 256],
    [{ square: 64 }, 64],
    [{ square: 64, crop: 60 }, 60],
    [{ randomResizedCrop: 224, flip: true }, 224],
    [{ resize: 256, randomResizedCrop: 227 }, 227],
  ])('%j makes images of %d', (options, side) => {
    expect(outputSide(parseTransform(options))).toBe(side);
  });

  test.each<[object, RegExp]>([
    [{}, /a number of pixels.* for transform\.resize/],
    [{ resize: 24, square: 24 }, /nothing beside resize for transform\.square/],
    [{ resize: 24, crop: 25 }, /at most the 24 pixels after resizing for transform\.crop/],
    [{ resize: 24, randomResizedCrop: 25 }, /at most the 24 pixels .* for transform\.randomResizedCrop/],
    [{ crop: 24, randomResizedCrop: 25 }, /the 25 of randomResizedCrop, or nothing for transform\.crop/],
    [{ resize: 24, scale: [0.5, 0.1] }, /two shares .* for transform\.scale/],
    [{ resize: 24, ratio: [0, 1] }, /two ratios .* for transform\.ratio/],
    [{ resize: 2.5 }, /a positive integer for transform\.resize/],
    [{ resize: 5000 }, /at most 4096 pixels for transform\.resize/],
    [{ resise: 24 }, /among resize, .* received "resise"; did you mean resize\?/],
  ])('%j is refused', (options, message) => {
    expect(() => parseTransform(options as TransformOptions)).toThrow(message);
  });
});
