import { EatDmlError, invalid } from '../../errors.js';
import { allocate } from '../allocate.js';
import { checkInt32Length, checkUint8Length } from '../integers.js';
import { checkCount, readOptions, unshared } from '../matrix.js';
import { type NetworkCall, type NetworkRun, runNative } from './run-network.js';

/** What each place of one side of the result is made of. */
export interface ResampledSide {
  /** Places. */
  count: number;
  /** Numbers of a place. */
  step: number;
  /** [count, step]: the first pixel, how many there are (1 to step - 2), and the weight of each, in 2^-22 and of sum 1. */
  places: Int32Array;
}

export interface ResampleArgs {
  pixels: Uint8Array;
  height: number;
  width: number;
  channels: number;
  columns: number;
  acrossStep: number;
  across: Int32Array;
  rows: number;
  downStep: number;
  down: Int32Array;
  out: Uint8Array;
}

export interface ResampleOptions {
  /** [height, width, channels] */
  pixels: Uint8Array;
  height: number;
  width: number;
  /** 3, or 4 of which the last is left out. */
  channels: number;
  across: ResampledSide;
  down: ResampledSide;
  /** [down.count, across.count, 3] */
  out?: Uint8Array;
}

/**
 * An image of bytes at another size: every row by `across`, to bytes, then every column by `down`, each (2^21 + Σ pixel weight) >> 22.
 * @returns [down.count, across.count, 3]
 * @throws EatDmlError ERR_ARGUMENT for options that do not fit.
 */
export function resample(options: ResampleOptions, run: NetworkRun = runNative): Uint8Array {
  return run(prepare(options));
}

function prepare(options: ResampleOptions): NetworkCall<ResampleArgs, Uint8Array> {
  options = readOptions(options, ['pixels', 'height', 'width', 'channels', 'across', 'down', 'out']);
  const { pixels, height, width, channels } = options;
  checkCount('height', height);
  checkCount('width', width);
  if (channels !== 3 && channels !== 4) throw invalid('channels', '3 or 4', channels);
  checkUint8Length('pixels', pixels, height * width * channels);
  const sides = readSides(options);
  const length = sides.rows * sides.columns * 3;
  const out = options.out ?? allocate(Uint8Array, length, 'down');
  checkUint8Length('out', out, length);
  const args = { pixels, height, width, channels, ...sides, out };
  return { kernel: 'resample', options, args, result: () => args.out };
}

/** Both sides, as the addon reads them. */
export function readSides(options: Pick<ResampleOptions, 'height' | 'width' | 'across' | 'down'>) {
  const across = readSide('across', options.across, options.width);
  const down = readSide('down', options.down, options.height);
  return {
    ...{ columns: across.count, acrossStep: across.step, across: across.places },
    ...{ rows: down.count, downStep: down.step, down: down.places },
  };
}

/** Every place within the `size` pixels, and no sum past 31 bits. */
function readSide(name: string, side: ResampledSide, size: number): ResampledSide {
  const { count, step, places: given } = readOptions(side, ['count', 'step', 'places']);
  const places = unshared(given);
  checkCount(`${name}.count`, count);
  checkCount(`${name}.step`, step);
  checkInt32Length(`${name}.places`, places, count * step);
  for (let place = 0; place < count; place++) {
    if (fits(places, place * step, step, size)) continue;
    const received = places.subarray(place * step, (place + 1) * step).join(', ');
    const expected = `places within ${size} pixels, of weights >= 0 and of sum 2^22`;
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${expected} for ${name} but received ${received} at ${place}.`);
  }
  return { count, step, places };
}

function fits(places: Int32Array, at: number, step: number, size: number): boolean {
  const [first, taps] = [places[at], places[at + 1]];
  if (first < 0 || taps < 1 || taps > step - 2 || first + taps > size) return false;
  let sum = 0;
  for (let k = at + 2; k < at + 2 + taps; k++) {
    if (places[k] < 0) return false;
    sum += places[k];
  }
  return sum < 2 ** 23;
}
