import { z } from 'zod';
import { defaultCacheDir } from '../../cache-folder.js';
import { parseOptions } from '../../options.js';
import { findLayout } from '../layouts/find-layout.js';
import { folder, folderOptions } from '../layouts/folder.js';
import { parquetArchive } from '../layouts/parquet.js';
import type { OpenWork } from '../look-over.js';
import { archiveShape, type OpenArchiveOptions, openArchive, type ReadArchive } from '../open-archive.js';
import { dataSetPart } from './data-set.js';

const archiveOptions = z.strictObject(archiveShape);

/** A set of photographs in a folder of its own, as it was unpacked; in the layout of its name, or as `read` finds. */
function archivePart<const Name extends string>(
  name: Name,
  title: string,
  recallAt?: readonly number[],
  read: ReadArchive = async (root, options) => (await findLayout(root, name)).read(options),
) {
  const open = (options: z.input<typeof archiveOptions>, work?: OpenWork) =>
    openArchive(name, { ...options, ...work } as OpenArchiveOptions, read);
  return dataSetPart(name, title, archiveOptions, open, { recallAt });
}

export const cub200Part = archivePart(
  'cub200',
  'CUB-200-2011: 11,788 photographs of 200 species of birds; classes 1 to 100 train, 101 to 200 test',
  [1, 2, 4, 8, 16, 32],
);
export const cars196Part = archivePart(
  'cars196',
  'CARS196: 16,185 photographs of 196 models of cars, of either annotation; classes 1 to 98 train, 99 to 196 test',
  [1, 2, 4, 8, 16, 32],
);
export const inShopPart = archivePart(
  'in-shop',
  'In-Shop Clothes Retrieval: 52,712 photographs of 7,982 items; queries are looked up in a gallery',
  [1, 10, 20, 30, 40, 50],
);
export const sopPart = archivePart(
  'sop',
  'Stanford Online Products: 120,053 photographs of 22,634 products, by the lists of the archive',
  [1, 10, 100, 1000],
);
export const parquetPart = archivePart(
  'parquet',
  'Parquet files with the columns image and label, as Hugging Face has them; the first half of the classes trains',
  undefined,
  (root, options) => parquetArchive(root, defaultCacheDir(), options),
);

const { trainClasses, splitFile } = folderOptions.shape;
const ownFolder = z.strictObject({ ...archiveShape, trainClasses, splitFile });

export const folderPart = dataSetPart(
  'folder',
  'images of your own: a folder for each class, or such folders in train and test, or a list of sides',
  ownFolder,
  (options, work) => {
    const { trainClasses, splitFile, ...others } = parseOptions(ownFolder, options);
    // Where it has class folders, or images/ has them, as findLayout looks.
    return openArchive('folder', { ...others, ...work }, async (root, read) => {
      const found = await findLayout(root, 'folder');
      return folder(found.root, { trainClasses, splitFile, ...read });
    });
  },
);
