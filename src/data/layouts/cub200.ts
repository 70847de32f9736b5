import { join } from 'node:path';
import type { z } from 'zod';
import { EatDmlError } from '../../errors.js';
import { count, parseOptions } from '../../options.js';
import { type Archive, archiveOf, layoutOptions } from './archive.js';
import { checkFiles } from './check-files.js';
import { firstOf, type Layout, presenceOf } from './layout.js';
import { checkPublished, type Published } from './published.js';
import { columnsOf, eachLine, integerIn, lineFault, linesOf, type OnFault, pathIn } from './text-list.js';

const IMAGES = 'images.txt';
const LABELS = 'image_class_labels.txt';
const NAMES = 'classes.txt';

/** The id of the last image, and the classes of the papers' sides: 1 to 100, and 101 to 200. */
const LAST = 11788;
const CLASSES = 200;
const PUBLISHED: Published = { train: [5864, 100], test: [5924, 100] };

export const cub200Options = layoutOptions.extend({
  lastTrainClass: count.default(CLASSES / 2).describe('classes up to it are for training'),
});

/**
 * CUB-200-2011 as it is unpacked: `images.txt`, `image_class_labels.txt`, and the pictures in `images`. Images come in the
 * order of `images.txt`, which is not that of the folders. `train_test_split.txt` is that of classification, and not read.
 *
 * @throws EatDmlError ERR_DATA that names the file and the line, ERR_ARGUMENT, ERR_ABORTED.
 */
export async function cub200(root: string, options: z.input<typeof cub200Options> = {}): Promise<Archive> {
  const { lastTrainClass, stat, onFault, ...work } = parseOptions(cub200Options, options);
  const list = join(root, IMAGES);
  const listed = await imagesIn(list, onFault);
  const labels = await labelsIn(join(root, LABELS), listed, onFault);
  const images = [...listed].flatMap(([id, file]) => {
    const label = labels.get(id);
    if (label !== undefined) return [{ file, label, side: label <= lastTrainClass ? 'train' : 'test' }];
    onFault(new EatDmlError('ERR_DATA', `Expected a class of image ${id} but received none in ${join(root, LABELS)}.`));
    return [];
  });
  const names = (await namesIn(root, onFault)) ?? images.map(({ label, file }) => [label, folderOf(file)] as const);
  const archive = archiveOf('cub200', root, ['train', 'test'], images, new Map(names));
  if (lastTrainClass === CLASSES / 2 && listed.has(LAST)) checkPublished(archive, PUBLISHED, list, onFault);
  if (stat) await checkFiles(archive, list, onFault, work);
  return archive;
}

/** The file of each image, by its id. */
async function imagesIn(path: string, onFault: OnFault): Promise<Map<number, string>> {
  const files = new Map<number, string>();
  eachLine(await linesOf(path), onFault, (line) => {
    const [first, file] = columnsOf(path, line, 'image_id path');
    const id = integerIn(path, line.number, 'image_id', first);
    if (files.has(id)) throw lineFault(path, line.number, 'each image_id once', `${id} again`);
    files.set(id, `images/${pathIn(path, line.number, file)}`);
  });
  return files;
}

/** The class of each image, by its id. */
async function labelsIn(path: string, files: Map<number, string>, onFault: OnFault): Promise<Map<number, number>> {
  const labels = new Map<number, number>();
  eachLine(await linesOf(path), onFault, (line) => {
    const [first, second] = columnsOf(path, line, 'image_id class_id');
    const id = integerIn(path, line.number, 'image_id', first);
    const label = integerIn(path, line.number, 'class_id', second, { most: CLASSES });
    const file = files.get(id);
    if (file === undefined) throw lineFault(path, line.number, `an image_id of ${IMAGES}`, first);
    if (labels.has(id)) throw lineFault(path, line.number, 'each image_id once', `${id} again`);
    // Some loaders take the class from the folder's name: where it differs, they would learn something else.
    const numbered = /^(\d+)\./.exec(folderOf(file));
    if (numbered && Number(numbered[1]) !== label) {
      throw lineFault(path, line.number, `class ${Number(numbered[1])}, as its folder says,`, label);
    }
    labels.set(id, label);
  });
  return labels;
}

function folderOf(file: string): string {
  return file.split('/')[1];
}

/** The names of the classes, where the archive has their list. */
async function namesIn(root: string, onFault: OnFault): Promise<(readonly [number, string])[] | undefined> {
  if (!(await firstOf(root, [NAMES]))) return undefined;
  const path = join(root, NAMES);
  return eachLine(await linesOf(path), onFault, (line) => {
    const [label, name] = columnsOf(path, line, 'class_id name');
    return [integerIn(path, line.number, 'class_id', label, { most: CLASSES }), name] as const;
  });
}

export const CUB200: Layout = {
  name: 'cub200',
  // Once as it is unpacked, once as Kaggle packs it.
  homes: ['.', 'CUB_200_2011', 'CUB_200_2011/CUB_200_2011'],
  marks: `${IMAGES} and ${LABELS}`,
  presence: (root) => presenceOf(root, [[IMAGES], [LABELS]]),
  read: cub200,
};
