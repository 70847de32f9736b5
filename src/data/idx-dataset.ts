import { dataFault } from '../errors.js';
import { labelProblem } from '../labels.js';
import { type Dataset, datasetFromArrays } from './dataset.js';
import { type IdxArray, readIdx } from './idx.js';
import { channelsProblem } from './image-shape.js';

/** An IDX file as it was read. */
export interface IdxFile {
  path: string;
  array: IdxArray;
}

/**
 * The labelled images of two IDX files: images [n, h, w] or [n, h, w, c] of bytes, c 1 or 3, and labels [n], integers of
 * 32 bits. The data set is called by the path of the images.
 *
 * @throws EatDmlError ERR_DATA that names the file, and in it the label that is wrong.
 */
export async function idxDataset(paths: { images: string; labels: string }): Promise<Dataset> {
  const read = async (path: string): Promise<IdxFile> => ({ path, array: await readIdx(path) });
  const [images, labels] = await Promise.all([read(paths.images), read(paths.labels)]);
  return datasetOfIdx(paths.images, images, labels);
}

/** The data set of two files that were read; `expected` is the shape that its images must have, where that is known. */
export function datasetOfIdx(
  name: string,
  images: IdxFile,
  labels: IdxFile,
  expected?: readonly [height: number, width: number, channels: number],
): Dataset {
  const shape = imageShape(images);
  const [count] = images.array.shape;
  if (expected && shape.join() !== expected.join()) {
    throw dataFault(images.path, `images of [${expected.join(', ')}]`, `[${shape.join(', ')}]`);
  }
  if (labels.array.shape.join() !== String(count)) {
    const received = `[${labels.array.shape.join(', ')}]`;
    throw dataFault(labels.path, `labels [${count}], one for each image in ${images.path},`, received);
  }
  checkLabelsOf(labels);
  return datasetFromArrays({ name, images: images.array.data as Uint8Array, labels: labels.array.data, shape });
}

function imageShape({ path, array: { shape, data } }: IdxFile): [height: number, width: number, channels: number] {
  const [, height, width, channels = 1, ...more] = shape;
  const received = `${data.constructor.name} [${shape.join(', ')}]`;
  if (!(data instanceof Uint8Array) || width === undefined || more.length > 0 || data.length === 0) {
    throw dataFault(path, 'images [n, h, w] or [n, h, w, c] of bytes, at least one,', received);
  }
  const problem = channelsProblem([height, width, channels]);
  if (problem) throw dataFault(path, 'images [n, h, w] or [n, h, w, c], c 1 or 3,', received, { hint: problem.hint });
  return [height, width, channels];
}

function checkLabelsOf({ path, array: { data } }: IdxFile): void {
  for (let i = 0; i < data.length; i++) {
    const problem = labelProblem(data, i) ?? (data[i] === (data[i] | 0) ? undefined : 'an integer of 32 bits');
    // The header of one dimension takes eight bytes.
    const at = `label ${i} (byte ${8 + i * data.BYTES_PER_ELEMENT})`;
    if (problem) throw dataFault(path, `${problem} as ${at}`, String(data[i]));
  }
}
