import { join } from 'node:path';
import { z } from 'zod';
import { EatDmlError, throwIfAborted } from '../errors.js';
import { counter, type LongWork, longWork } from '../long-work.js';
import { atLeast, parseOptions } from '../options.js';
import { decodeImage } from './decoding/decode.js';
import { imageBytes } from './decoding/read-pixels.js';
import { defaultConcurrency, type ImageFilesOptions, parseImageFiles } from './image-files.js';
import type { Size, View } from './transforms.js';

/** How many images may be left out as they are broken, as a schema. */
export const skipBroken = atLeast(0, 'an integer >= 0');

const leaveOutOptions = z.strictObject({ skipBroken, ...longWork });

/** Options of {@link withoutBroken}. */
export type LeaveOutOptions = z.input<typeof leaveOutOptions>;

/** An image that cannot be had, and why. */
export interface BrokenFile {
  /** Which of the files. */
  index: number;
  fault: EatDmlError;
}

/** Files that are asked for at a time: a large set's would be as many promises. */
const AT_ONCE = 1024;

/** How far files are looked at. */
interface LookOptions extends LongWork {
  /** Of `performance.now()`: none is begun later (default none). */
  until?: number;
}

/**
 * The files that are missing or cannot be decoded to their last row, in their order, 1,024 files at a time: each is decoded once,
 * so that what is found does not depend on which part of an image is looked at later.
 *
 * @throws EatDmlError ERR_ABORTED; ERR_SYSTEM without sharp.
 */
export async function* brokenFiles(
  root: string,
  files: readonly string[],
  { until = Infinity, signal, onProgress }: LookOptions = {},
): AsyncGenerator<{ broken: BrokenFile[]; looked: number }, void> {
  const lanes = defaultConcurrency();
  const count = counter('check', files.length, onProgress);
  for (let start = 0; start < files.length && performance.now() < until; start += AT_ONCE) {
    const faults = new Map<number, EatDmlError>();
    const end = Math.min(files.length, start + AT_ONCE);
    let next = start;
    const work = async () => {
      while (next < end && performance.now() < until) {
        const index = next++;
        const fault = await faultOf(join(root, files[index]), signal);
        if (fault) faults.set(index, fault);
        count();
      }
    };
    await Promise.all(Array.from({ length: lanes }, work));
    throwIfAborted(signal);
    const indices = [...faults.keys()].sort((a, b) => a - b);
    yield { broken: indices.map((index) => ({ index, fault: faults.get(index)! })), looked: next - start };
  }
}

async function faultOf(file: string, signal?: AbortSignal): Promise<EatDmlError | undefined> {
  try {
    await decodeImage(await imageBytes(file, signal), file, lastRow);
    return undefined;
  } catch (error) {
    if (error instanceof EatDmlError && error.code === 'ERR_DATA') return error;
    throw error;
  }
}

/** All rows are decoded on the way to the last one, and none is kept. */
function lastRow({ width, height }: Size): View {
  return { part: { left: 0, top: height - 1, width, height: 1 }, resized: { width: 1, height: 1 }, flip: false };
}

/**
 * The indices of the files that are whole. At most `most` may not be: each of them is named in a process warning.
 *
 * @throws EatDmlError ERR_DATA where more are broken, or all; ERR_ABORTED.
 */
export async function wholeFiles(
  root: string,
  files: readonly string[],
  most: number,
  work: LongWork = {},
): Promise<Int32Array> {
  let broken: BrokenFile[] = [];
  for await (const some of brokenFiles(root, files, work)) {
    broken = broken.concat(some.broken);
    if (broken.length > most) break;
  }
  const out = new Set(broken.map(({ index }) => index));
  if (broken.length > most || out.size === files.length) throw tooMany(root, files.length, broken, most);
  for (const { fault } of broken) process.emitWarning(`eat-dml leaves out a broken image. ${fault.message}`);
  return Int32Array.from(files.keys()).filter((index) => !out.has(index));
}

function tooMany(root: string, files: number, broken: readonly BrokenFile[], most: number): EatDmlError {
  const expected = broken.length > most ? `at most ${most} broken images` : 'one image at least that is not broken';
  const among = broken.length === files ? 'all' : `more, ${broken.length} up to the last that was looked at,`;
  const hint = `The first of them: ${broken[0].fault.message} eat-dml data inspect --verify names more.`;
  return new EatDmlError('ERR_DATA', `Expected ${expected} among ${files} but received ${among} in ${root}.`, { hint });
}

/**
 * Options of {@link imageFiles} without the files that are missing or broken, of which there may be `skipBroken`. All files are
 * decoded once to find them; each is named in a process warning, and in `leftOut` of the source and of its manifests. The same
 * files give the same images at every call.
 *
 * @throws EatDmlError ERR_DATA where more than `skipBroken` are broken; ERR_ARGUMENT, ERR_ABORTED.
 */
export async function withoutBroken(options: ImageFilesOptions, leave: LeaveOutOptions): Promise<ImageFilesOptions> {
  const { root, files, labels } = parseImageFiles(options);
  const { skipBroken: most, ...work } = parseOptions(leaveOutOptions, leave);
  if (most === 0) return options;
  const kept = await wholeFiles(root, files, most, work);
  return {
    ...options,
    files: Array.from(kept, (i) => files[i]),
    labels: kept.map((i) => labels[i]),
    leftOut: [...(options.leftOut ?? []), ...leftOutOf(files, kept)],
  };
}

/** The files that are not among `kept`. */
export function leftOutOf(files: readonly string[], kept: Int32Array): string[] {
  const whole = new Set(kept);
  return files.filter((_, i) => !whole.has(i));
}
