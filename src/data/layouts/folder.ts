import { join } from 'node:path';
import { z } from 'zod';
import { EatDmlError, invalid } from '../../errors.js';
import { count, parseOptions } from '../../options.js';
import { type Archive, archiveOf, type Listed, layoutOptions } from './archive.js';
import { checkFiles } from './check-files.js';
import { type ClassFolder, classFolders, classFoldersIn, hasClassFolders, subfolders } from './class-folders.js';
import { firstOf, type Layout } from './layout.js';
import { SIDES, sidesInFile } from './split-file.js';
import type { OnFault } from './text-list.js';

/** Read where there is one and nothing else is said. */
const SPLIT_FILE = 'split.txt';

const TRAIN_CLASSES = 'how many of the sorted class folders, or their names';

export const folderOptions = layoutOptions.extend({
  trainClasses: z
    .union([count, z.array(z.string()).readonly()], TRAIN_CLASSES)
    .optional()
    .describe(`classes to train on: ${TRAIN_CLASSES} (default the first half, rounded down)`),
  splitFile: z
    .string()
    .optional()
    .describe(
      `list of class folders or images, each with its side (default ${SPLIT_FILE} in the folder, if there is one)`,
    ),
});

export type FolderOptions = z.input<typeof folderOptions>;

/**
 * A folder of one's own: a folder for each class, with its images in it or below it. Classes are the folders in the order
 * of their names (by code unit), from 0; images come class by class, by their paths. The sides are, the first that applies:
 *
 * - folders named `train`, `test`, `validation`, `query` or `gallery`, with the class folders in them;
 * - `splitFile`: lines of a class folder or an image, blanks or a comma, and its side;
 * - `trainClasses`; by default the first half of the classes, rounded down, as papers have it. The rest is `test`.
 *
 * Hidden files and folders (`._x.jpg`), and files that are no images by their names, are passed over.
 *
 * @throws EatDmlError ERR_DATA that names the folder, or the file and the line; ERR_ARGUMENT, ERR_ABORTED.
 */
export async function folder(root: string, options: FolderOptions = {}): Promise<Archive> {
  const { trainClasses, splitFile, stat, onFault, ...work } = parseOptions(folderOptions, options);
  if (trainClasses !== undefined && splitFile !== undefined) {
    throw invalid('splitFile', 'no value beside trainClasses', splitFile);
  }
  const sided = await sideFolders(root);
  if (sided.length > 0 && (trainClasses ?? splitFile) !== undefined) {
    const given = trainClasses === undefined ? 'splitFile' : 'trainClasses';
    throw invalid(given, `no value where ${root} has the folder ${sided[0]}`, trainClasses ?? splitFile);
  }
  const archive =
    sided.length > 0
      ? await ofSideFolders(root, sided, onFault, work.signal)
      : await ofClassFolders(root, { trainClasses, splitFile }, onFault, work.signal);
  if (stat) await checkFiles(archive, root, onFault, work);
  return archive;
}

/** The names of sides among the folders in `root`, where there are no others: two at least, with class folders. */
async function sideFolders(root: string): Promise<readonly string[]> {
  const names = await subfolders(root);
  const sides = SIDES.filter((side) => names.includes(side));
  return sides.length >= 2 && sides.length === names.length ? sides : [];
}

async function ofSideFolders(
  root: string,
  sides: readonly string[],
  onFault: OnFault,
  signal?: AbortSignal,
): Promise<Archive> {
  const bySide: [string, ClassFolder[]][] = [];
  for (const side of sides) bySide.push([side, await classFoldersIn(root, side, onFault, signal)]);
  const names = [...new Set(bySide.flatMap(([, folders]) => folders.map(({ name }) => name)))].sort();
  checkClasses(root, names);
  const numbers = new Map(names.map((name, i) => [name, i]));
  const images = bySide.flatMap(([side, folders]) =>
    folders.flatMap(({ name, files }) => files.map((file): Listed => ({ file, label: numbers.get(name)!, side }))),
  );
  return archiveOf('folder', root, sides, images, new Map(names.entries()));
}

async function ofClassFolders(
  root: string,
  { trainClasses, splitFile }: Pick<FolderOptions, 'trainClasses' | 'splitFile'>,
  onFault: OnFault,
  signal?: AbortSignal,
): Promise<Archive> {
  const folders = await classFolders(root, onFault, signal);
  const names = folders.map(({ name }) => name);
  checkClasses(root, names);
  checkNoSide(root, folders);
  const implied = trainClasses === undefined && (await firstOf(root, [SPLIT_FILE]));
  const list = splitFile ?? (implied ? join(root, SPLIT_FILE) : undefined);
  const sideOf = list ? await sidesInFile(list, folders, onFault) : byClass(names, trainClasses);
  const images = folders.flatMap(({ name, files }, label) =>
    files.flatMap((file): Listed[] => {
      const side = sideOf(name, file);
      if (side !== undefined) return [{ file, label, side }];
      onFault(
        new EatDmlError('ERR_DATA', `Expected a side of ${file}, or of its class, but received none in ${list}.`),
      );
      return [];
    }),
  );
  const held = list ? SIDES.filter((side) => images.some((image) => image.side === side)) : ['train', 'test'];
  return archiveOf('folder', root, held, images, new Map(names.entries()));
}

function checkClasses(root: string, names: readonly string[]): void {
  if (names.length >= 2) return;
  throw new EatDmlError('ERR_DATA', `Expected at least 2 folders of images but received ${names.length} in ${root}.`, {
    hint: 'Each class has a folder of its own, named as the class.',
  });
}

/** A side beside a folder that is none (`train` beside `val`) would pass for two classes. A class may be named as a side: its images lie in it. */
function checkNoSide(root: string, folders: readonly ClassFolder[]): void {
  const nested = folders.every(({ files }) => files.every((file) => file.split(/[\\/]/).length > 2));
  const side = SIDES.find((name) => folders.some((folder) => folder.name === name));
  if (!nested || side === undefined) return;
  const other = folders.find(({ name }) => !SIDES.includes(name));
  throw new EatDmlError(
    'ERR_DATA',
    `Expected no folder but ${SIDES.join(', ')} beside ${side} but received ${other!.name} in ${root}.`,
    { hint: 'Name each side so, two at least, with its class folders in it.' },
  );
}

function byClass(names: readonly string[], trainClasses: FolderOptions['trainClasses']): (name: string) => string {
  const chosen = new Set(Array.isArray(trainClasses) ? trainClasses : names.slice(0, numberOf(names, trainClasses)));
  for (const name of chosen) {
    if (!names.includes(name)) throw invalid('trainClasses', 'names of class folders', name);
  }
  if (chosen.size > 0 && chosen.size < names.length) return (name) => (chosen.has(name) ? 'train' : 'test');
  throw invalid('trainClasses', `1 to ${names.length - 1} of ${names.length} classes`, chosen.size);
}

function numberOf(names: readonly string[], trainClasses: FolderOptions['trainClasses']): number {
  return typeof trainClasses === 'number' ? trainClasses : names.length >> 1;
}

export const FOLDER: Layout = {
  name: 'folder',
  // As Revisiting packs CUB and CARS.
  homes: ['.', 'images'],
  marks: 'a folder of images for each class',
  presence: async (root) => ((await hasClassFolders(root)) ? 'perhaps' : 'none'),
  read: folder,
};
