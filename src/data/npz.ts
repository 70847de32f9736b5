import { dataFault, EatDmlError } from '../errors.js';
import type { NpyArray } from '../npy.js';
import { unpackNpz } from '../npz.js';
import { type Dataset, datasetFromArrays } from './dataset.js';
import type { DataSides } from './open-archive.js';
import { readBounded } from './read-bounded.js';
import type { ReadOptions } from './source.js';

/** More than any set that fits into memory has. */
const MOST = 2 ** 32;

/** What sides are called in files, and here. */
const SIDES = {
  train: 'train',
  val: 'validation',
  validation: 'validation',
  test: 'test',
  query: 'query',
  gallery: 'gallery',
} as const;

/**
 * The sides in a .npz file of numpy: `images` [n, h, w] or [n, h, w, c] of bytes and `labels` [n], or both with the name of a side
 * before: `train_images`, `test_labels` (`val_...`, `query_...`, `gallery_...`). Without sides all of it is `all`.
 *
 * @throws EatDmlError ERR_DATA that names the file and the array; ERR_ABORTED.
 */
export async function readNpz(
  path: string,
  { signal }: ReadOptions = {},
): Promise<{ all: Dataset } | DataSides<Dataset>> {
  const arrays = unpackNpz(await readBounded(path, MOST, { what: '.npz file', signal }), path);
  const of = (prefix: string): Dataset | undefined => {
    const [images, labels] = ['images', 'labels'].map((name) => arrays.get(prefix + name));
    if (!images && !labels) return undefined;
    const missing = images ? 'labels' : 'images';
    if (!images || !labels) throw dataFault(path, `an array ${prefix}${missing}`, [...arrays.keys()].join(', '));
    return datasetOf(path, prefix, images(), labels());
  };
  const sides = Object.entries(SIDES).flatMap(([prefix, side]) => {
    const dataset = of(`${prefix}_`);
    return dataset ? [[side, dataset] as const] : [];
  });
  if (sides.length > 0) return Object.fromEntries(sides);
  const all = of('');
  if (all) return { all };
  throw dataFault(path, 'arrays images and labels', [...arrays.keys()].join(', ') || 'none');
}

function datasetOf(path: string, prefix: string, images: NpyArray, labels: NpyArray): Dataset {
  const { shape, data } = images;
  if (!(data instanceof Uint8Array) || shape.length < 3 || shape.length > 4) {
    throw dataFault(path, `bytes [n, h, w] or [n, h, w, c] in ${prefix}images`, `shape (${shape.join(', ')})`);
  }
  const [n, height, width, channels = 1] = shape;
  if (labels.data.length !== n || labels.shape[0] !== n) {
    throw dataFault(path, `${n} labels in ${prefix}labels`, `shape (${labels.shape.join(', ')})`);
  }
  try {
    return datasetFromArrays({ name: 'npz', images: data, labels: labels.data, shape: [height, width, channels] });
  } catch (cause) {
    const { message } = cause as Error;
    throw new EatDmlError(
      'ERR_DATA',
      `${message.replace(/\.$/, '')} in ${prefix}images and ${prefix}labels of ${path}.`,
      { cause },
    );
  }
}
