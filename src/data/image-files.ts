import { availableParallelism } from 'node:os';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { isList } from '../checks.js';
import { classNames } from '../class-names.js';
import { checkSignal, EatDmlError, invalid, throwIfAborted } from '../errors.js';
import { counter, type LongWork } from '../long-work.js';
import { count, parseOptions, path, seed } from '../options.js';
import { pixelTensor } from '../tfjs/index.js';
import { checkIndices, digestOf, type SplitSide, toLabels } from './dataset.js';
import { giveBack, readOnThread } from './decoding/decoding-thread.js';
import { type Gate, gate } from './decoding/gate.js';
import { imageBytes, inOrder, pixelsLength, readPixels, type WantedImages } from './decoding/read-pixels.js';
import { ReadAhead } from './read-ahead.js';
import { hashOf, type Source, sha256 } from './source.js';
import { outputSide, type TransformOptions, transformOptions } from './transforms.js';

const imageFilesOptions = z.strictObject({
  name: z.string().describe('what the images are called in reports and errors'),
  root: path.describe('the folder that all of the files lie in'),
  files: z.array(path, 'an array of paths').min(1, 'at least one path').describe('below `root`, one an image'),
  labels: z.custom<ArrayLike<unknown>>(isList, 'an array of integers').describe('the class of each image, of 32 bits'),
  classNames: classNames.optional().describe('what classes are called, by label'),
  transform: transformOptions.describe('what makes an image of a file'),
  channels: z.literal([1, 3]).default(3).describe('3 for red, green and blue, 1 for grey'),
  role: z.enum(['query', 'gallery']).optional().describe('the part in a protocol of queries'),
  splits: z.custom<readonly SplitSide[]>(Array.isArray, 'an array of split sides').optional(),
  leftOut: z
    .array(path, 'an array of paths')
    .optional()
    .describe('files of the set that it is without, as they are broken'),
  concurrency: count
    .max(1024, 'at most 1024')
    .optional()
    .describe(
      'files that are read and decoded at a time (default 4 a core, at least 16); UV_THREADPOOL_SIZE threads do it',
    ),
  seed: seed.default(0).describe('of the random views'),
});

/** What {@link imageFiles} makes a source of. */
export interface ImageFilesOptions
  extends Omit<z.input<typeof imageFilesOptions>, 'files' | 'labels' | 'transform' | 'leftOut'> {
  /** Paths below `root`, one an image. */
  files: readonly string[];
  /** The class of each image; any integers of 32 bits. */
  labels: ArrayLike<number>;
  transform: TransformOptions;
  /** Files of the set that it is without, as they are broken: `withoutBroken` says which. */
  leftOut?: readonly string[];
}

type Options = z.output<typeof imageFilesOptions>;

/**
 * Images in files as a source: read and decoded when a batch is asked for, `concurrency` at a time, and not kept. The bits of a
 * batch depend on the files, its indices and its draw, not on `concurrency` or on what was read before. A random view is drawn by
 * the seed, the draw, the image and how often the batch had the image before.
 *
 * Files are looked at when they are read. A batch with one that is missing or broken is one EatDmlError ERR_DATA that names the
 * first of them.
 *
 * @throws EatDmlError ERR_ARGUMENT; ERR_DATA where a path leads out of `root`.
 *
 * @example
 * ```ts
 * import { imageFiles } from 'eat-dml';
 *
 * const files = ['ant/0.png', 'ant/1.png', 'bee/0.png', 'bee/1.png'];
 * const source = imageFiles({ name: 'insects', root: 'photos', files, labels: [0, 0, 1, 1], transform: { square: 32 } });
 * const images = await source.batch([0, 2]); // [2, 32, 32, 3] in [0, 1]
 * images.dispose();
 * ```
 */
export function imageFiles(options: ImageFilesOptions): Source {
  const { name, root, files, labels, classNames, channels, role, splits, leftOut, ...parsed } =
    parseImageFiles(options);
  const { transform, concurrency = defaultConcurrency() } = parsed;
  const enter = gate(concurrency);
  const reader: Reader = { root, files, channels, transform, seed: parsed.seed, enter, concurrency };
  const ahead = new ReadAhead({
    now: (indices, { draw, signal }) => readPixels(wantedOf(reader, indices, draw), enter, signal),
    ahead: (indices, { draw, signal }) => readAhead(reader, wantedOf(reader, indices, draw), signal),
  });
  const side = outputSide(transform);
  const digests = fileDigests(reader);
  const source: Source = {
    ...{ name, names: files, labels, shape: [side, side, channels], splits, role },
    ...(classNames && { classNames }),
    ...(leftOut && leftOut.length > 0 && { leftOut }),
    look: JSON.stringify(transform),
    identity: sha256(JSON.stringify([name, files, [...labels]])),
    batch: async (indices, options = {}) => {
      const { signal, draw } = options;
      checkSignal(signal);
      throwIfAborted(signal);
      checkIndices(indices, files.length);
      if (draw !== undefined && !Number.isSafeInteger(draw)) throw invalid('draw', 'an integer', draw);
      const pixels = await ahead.take(indices, options);
      try {
        return pixelTensor(pixels, [indices.length, side, side, channels]);
      } finally {
        giveBack(pixels);
      }
    },
    prefetch: (indices, options = {}) => {
      const known = (index: number) => Number.isInteger(index) && index >= 0 && index < files.length;
      if (indices.length > 0 && Array.prototype.every.call(indices, known)) ahead.begin(indices, options);
    },
    digests,
    hash: async (options) => hashOf(source, await digests(options)),
  };
  return source;
}

/** The options with their defaults, checked against each other. */
export function parseImageFiles(options: ImageFilesOptions): Omit<Options, 'labels'> & { labels: Int32Array } {
  const parsed = parseOptions(imageFilesOptions, options);
  const labels = labelsOf(parsed.labels, parsed.files.length);
  for (const file of parsed.files) checkInside(parsed.root, file);
  return { ...parsed, labels };
}

function labelsOf(given: ArrayLike<unknown>, files: number): Int32Array {
  const labels = toLabels(given);
  if (labels.length === files) return labels;
  throw new EatDmlError(
    'ERR_ARGUMENT',
    `Expected ${files} values in labels, one a file, but received ${labels.length}.`,
  );
}

/** A list of files that came from elsewhere reads nothing outside the folder that it is about. */
function checkInside(root: string, file: string): void {
  const way = relative(resolve(root), resolve(root, file));
  const outside =
    way === '' || way.split(sep)[0] === '..' || isAbsolute(file) || isAbsolute(way) || file.includes('\0');
  if (outside) throw new EatDmlError('ERR_DATA', `Expected a path below ${root} but received ${JSON.stringify(file)}.`);
}

/**
 * So many are ready for the pool of threads while this one makes a tensor of a batch. The pool bounds how many are decoded at
 * a time, and with it the memory: one that waits is the bytes of its file.
 */
export function defaultConcurrency(): number {
  return Math.max(16, 4 * availableParallelism());
}

interface Reader extends Pick<Options, 'root' | 'files' | 'channels' | 'transform' | 'seed'> {
  enter: Gate;
  concurrency: number;
}

function wantedOf(reader: Reader, given: ArrayLike<number>, draw?: number): WantedImages {
  const { root, files, channels, transform, seed } = reader;
  const indices = Int32Array.from(given);
  return { indices, paths: Array.from(indices, (index) => join(root, files[index])), channels, transform, seed, draw };
}

/** Less is quickly read, and is not worth a thread. */
const AHEAD_BYTES = 2 ** 20;

/** On the decoding thread, so that it is whole when it is asked for, whatever this one has done meanwhile. */
async function readAhead(reader: Reader, wanted: WantedImages, signal?: AbortSignal): Promise<Uint8Array> {
  const far = pixelsLength(wanted) >= AHEAD_BYTES ? await readOnThread(wanted, reader.concurrency, signal) : undefined;
  return far ?? readPixels(wanted, reader.enter, signal);
}

/** Files whose digests are asked for at a time: a large set's would be as many promises. */
const DIGESTED = 1024;

/** The digests of the bytes of all files, which are read once; what an aborted call has read is not read again. */
function fileDigests({ root, files, enter }: Reader): (options?: LongWork) => Promise<BigUint64Array> {
  const digests = new BigUint64Array(files.length);
  const known = new Uint8Array(files.length);
  return async ({ signal, onProgress } = {}) => {
    throwIfAborted(signal);
    const missing = Int32Array.from(files.keys()).filter((i) => known[i] === 0);
    const count = counter('hash', missing.length, onProgress);
    for (let start = 0; start < missing.length; start += DIGESTED) {
      await inOrder(enter, missing.subarray(start, start + DIGESTED), signal, (i) => async () => {
        digests[i] = digestOf(await imageBytes(join(root, files[i]), signal));
        known[i] = 1;
        count();
      });
    }
    return digests.slice();
  };
}
