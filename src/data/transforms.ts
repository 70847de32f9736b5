import { z } from 'zod';
import { count, parseOptions } from '../options.js';
import type { RandomStream } from '../random.js';

/** More than any network here takes, and few enough that a batch fits into memory. */
const LARGEST = 4096;
const side = count.max(LARGEST, `at most ${LARGEST} pixels`);

/** Two positive numbers, the first no larger. */
function range(most: number, expected: string) {
  const bound = z.number(expected).gt(0, expected).max(most, expected);
  return z.tuple([bound, bound], expected).refine(([low, high]) => low <= high, expected);
}

/** What is done to an image on its way from a file into a batch, as a schema. */
export const transformOptions = z
  .strictObject({
    resize: side.optional().describe('pixels of the shorter side after resizing, the other in proportion'),
    square: side.optional().describe('pixels of both sides after resizing, whatever the proportion was'),
    crop: side
      .optional()
      .describe('side of the square kept from the centre (default all of a square, or the shorter side)'),
    randomResizedCrop: side
      .optional()
      .describe('side of the image made of a random part, where a draw is asked for; without one, the centre is seen'),
    scale: range(1, 'two shares in (0, 1], the lesser first')
      .default([0.08, 1])
      .describe('share of the image that a random part has, from and to'),
    ratio: range(100, 'two ratios in (0, 100], the lesser first')
      .default([3 / 4, 4 / 3])
      .describe('width to height of a random part, from and to'),
    flip: z.boolean().default(false).describe('mirror every other image, left to right, where a draw is asked for'),
  })
  .check(({ value, issues }) => {
    const problem = sizeProblem(value);
    if (!problem) return;
    const [key, message] = problem;
    issues.push({ code: 'custom', path: [key], message, input: value[key] });
  });

/** As it is given. */
export type TransformOptions = z.input<typeof transformOptions>;
/** With its defaults. */
export type Transform = z.output<typeof transformOptions>;

type Sizes = Pick<Transform, 'resize' | 'square' | 'crop' | 'randomResizedCrop'>;

function sizeProblem({ resize, square, crop, randomResizedCrop }: Sizes): [keyof Sizes, string] | undefined {
  if (resize !== undefined && square !== undefined) return ['square', 'nothing beside resize'];
  const resized = resize ?? square;
  if (resized === undefined && randomResizedCrop === undefined) {
    return ['resize', 'a number of pixels, where neither square nor randomResizedCrop is given'];
  }
  if (crop !== undefined && randomResizedCrop !== undefined && crop !== randomResizedCrop) {
    return ['crop', `the ${randomResizedCrop} of randomResizedCrop, or nothing`];
  }
  const kept = crop ?? randomResizedCrop;
  if (kept === undefined || resized === undefined || kept <= resized) return undefined;
  return [crop === undefined ? 'randomResizedCrop' : 'crop', `at most the ${resized} pixels after resizing`];
}

/**
 * The transform with its defaults.
 *
 * @throws EatDmlError ERR_ARGUMENT.
 */
export function parseTransform(options: TransformOptions): Transform {
  return parseOptions(transformOptions, options, 'transform');
}

/** Height and width of every image that the transform makes. */
export function outputSide({ resize, square, crop, randomResizedCrop }: Sizes): number {
  return (crop ?? randomResizedCrop ?? resize ?? square)!;
}

export interface Size {
  width: number;
  height: number;
}

/** A rectangle of pixels; (0, 0) is the first of the first row. */
export interface Box extends Size {
  left: number;
  top: number;
}

/** How an image of one size is looked at, in this order. */
export interface View {
  /** The part of the file's image that is used; all of it where there is none. */
  part?: Box;
  /** What that is resized to. */
  resized: Size;
  /** The part of it that is kept; all of it where there is none. */
  crop?: Box;
  /** Mirrored, left to right. */
  flip: boolean;
}

/** What a view draws from. */
export type ViewRandom = Pick<RandomStream, 'uniform' | 'integer'>;

/** How an image of `size` is looked at: at random from `random`, or as evaluation does where there is none. */
export function viewOf(transform: Transform, size: Size, random?: ViewRandom): View {
  if (!random) return centreView(transform, size);
  const { randomResizedCrop: output, flip } = transform;
  const view =
    output === undefined
      ? centreView(transform, size)
      : { part: randomPart(transform, size, random), resized: { width: output, height: output } };
  return { ...view, flip: flip && random.uniform() < 0.5 };
}

/**
 * What evaluation sees: resized, then cropped at the centre. Of a random resized crop alone, by 8/7 more than its side, as
 * 224 is cut from 256.
 */
function centreView(transform: Transform, { width, height }: Size): View {
  const { resize, square } = transform;
  const kept = outputSide(transform);
  const shorter = resize ?? Math.round((kept * 8) / 7);
  // The longer side is cut off, not rounded, as torchvision's resize does it.
  const longer = (long: number, short: number) => Math.floor((shorter * long) / short);
  const resized =
    square !== undefined
      ? { width: square, height: square }
      : width <= height
        ? { width: shorter, height: longer(height, width) }
        : { width: longer(width, height), height: shorter };
  if (resized.width === kept && resized.height === kept) return { resized, flip: false };
  const left = halfToEven((resized.width - kept) / 2);
  const top = halfToEven((resized.height - kept) / 2);
  return { resized, crop: { left, top, width: kept, height: kept }, flip: false };
}

/** Tries of a part that fits before the centre is taken. */
const TRIES = 10;

/** A part of random area and ratio at a random place, drawn as torchvision's RandomResizedCrop does. */
function randomPart({ scale, ratio }: Transform, { width, height }: Size, random: ViewRandom): Box {
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  for (let i = 0; i < TRIES; i++) {
    const area = width * height * between(...scale);
    const aspect = Math.exp(between(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = halfToEven(Math.sqrt(area * aspect));
    const h = halfToEven(Math.sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const top = random.integer(height - h + 1);
    return { left: random.integer(width - w + 1), top, width: w, height: h };
  }
  return centrePart({ width, height }, ratio);
}

/** The largest part at the centre whose ratio is within `ratio`. */
function centrePart({ width, height }: Size, [low, high]: readonly [number, number]): Box {
  const given = width / height;
  const h = given < low ? Math.max(1, halfToEven(width / low)) : height;
  const w = given > high ? Math.max(1, halfToEven(height * high)) : width;
  return { left: (width - w) >> 1, top: (height - h) >> 1, width: w, height: h };
}

/** Rounds as Python does, whose programs the field's crops come from: 6.5 to 6, 7.5 to 8. */
function halfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
