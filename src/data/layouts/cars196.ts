import { basename, join } from 'node:path';
import type { z } from 'zod';
import { EatDmlError } from '../../errors.js';
import { count, parseOptions } from '../../options.js';
import { type Archive, archiveOf, layoutOptions } from './archive.js';
import { type Annotation, readAnnotations, readClassNames } from './cars-annotations.js';
import { checkFiles } from './check-files.js';
import { firstOf, type Layout, presenceOf } from './layout.js';
import { checkPublished, type Published } from './published.js';
import { recognise } from './recognise.js';
import { columnsOf, eachLine, integerIn, lineFault, linesOf, type OnFault, pathIn } from './text-list.js';

const UNION = ['cars_annos.mat'];
/** The labels of the test images are a download of their own, which people put beside the devkit or into it. */
const devkit = (file: string) => [`devkit/${file}`, file, `car_devkit/devkit/${file}`];
const [TRAIN, TEST] = [devkit('cars_train_annos.mat'), devkit('cars_test_annos_withlabels.mat')];
const [UNLABELLED, META] = [devkit('cars_test_annos.mat'), devkit('cars_meta.mat')];
const KAGGLE = { train: 'anno_train.csv', test: 'anno_test.csv', names: 'names.csv' };
const KAGGLE_TRAIN = ['car_data/car_data/train', 'car_data/train', 'train'];
const KAGGLE_COLUMNS = 'file x1 y1 x2 y2 class';

/** The papers' sides are of classes: 1 to 98, and 99 to 196, whatever the lists call train and test. */
const CLASSES = 196;
const PUBLISHED: Published = { train: [8054, 98], test: [8131, 98] };

export const cars196Options = layoutOptions.extend({
  lastTrainClass: count.default(CLASSES / 2).describe('classes up to it are for training'),
});

export type Cars196Options = z.input<typeof cars196Options>;

/**
 * CARS196 (Stanford Cars) in whichever of its three layouts: `cars_annos.mat` with `car_ims`; the devkit with `cars_train`
 * and `cars_test`; or Kaggle's `anno_train.csv` and `anno_test.csv` with folders of classes. All images are pooled and
 * split by class. The numbers of files differ between the layouts: the same image has another name in each.
 *
 * @throws EatDmlError ERR_DATA that names the file and the line or the element, ERR_ARGUMENT, ERR_ABORTED.
 */
export async function cars196(root: string, options: Cars196Options = {}): Promise<Archive> {
  const { layout, root: home } = await recognise(root, CARS196);
  return layout.read(home, options);
}

/** {@link cars196} of `cars_annos.mat` and `car_ims`. */
export async function cars196Union(root: string, options: Cars196Options = {}): Promise<Archive> {
  const parsed = parseOptions(cars196Options, options);
  const path = join(root, UNION[0]);
  const { images, names } = await readAnnotations(path, 'relative_im_path', CLASSES, parsed.onFault);
  const whole = images.some(({ file }) => basename(file) === '016185.jpg');
  return pooled({ variant: 'union', root, images, names, whole, list: path }, parsed);
}

/** {@link cars196} of `devkit`, `cars_train` and `cars_test`. */
export async function cars196Devkit(root: string, options: Cars196Options = {}): Promise<Archive> {
  const parsed = parseOptions(cars196Options, options);
  const labelled = await firstOf(root, TEST);
  if (!labelled && (await firstOf(root, UNLABELLED))) throw withoutLabels(root);
  const meta = await firstOf(root, META);
  const names = meta ? await readClassNames(join(root, meta)) : [];
  const read = async (path: string, folder: string) => {
    const { images } = await readAnnotations(path, 'fname', names.length || CLASSES, parsed.onFault);
    // Kaggle has the folder once more in itself.
    const place = (await firstOf(root, [`${folder}/${folder}`])) ?? folder;
    return images.map(({ file, label }) => ({ file: `${place}/${file}`, label }));
  };
  const lists = [(await firstOf(root, TRAIN)) ?? TRAIN[0], labelled ?? TEST[0]].map((list) => join(root, list));
  const [train, test] = [await read(lists[0], 'cars_train'), await read(lists[1], 'cars_test')];
  return pooled({ variant: 'devkit', root, ...both(train, test), names, list: lists.join(' or ') }, parsed);
}

function withoutLabels(root: string): EatDmlError {
  const file = basename(TEST[0]);
  return new EatDmlError('ERR_DATA', `Expected ${file} but received ${basename(UNLABELLED[0])} alone in ${root}.`, {
    hint: `The classes of the test images are in ${file}, a download of its own.`,
  });
}

/** {@link cars196} of Kaggle's `names.csv`, `anno_train.csv`, `anno_test.csv` and `car_data`. */
export async function cars196Kaggle(root: string, options: Cars196Options = {}): Promise<Archive> {
  const parsed = parseOptions(cars196Options, options);
  const names: string[] = [];
  // Line i has class i, blank lines counted; a name may be quoted, and none has a comma.
  for (const { number, text } of await linesOf(join(root, KAGGLE.names))) {
    names[number - 1] = text.replace(/^"(.*)"$/, '$1').trim();
  }
  const folder = ((await firstOf(root, KAGGLE_TRAIN)) ?? KAGGLE_TRAIN[0]).slice(0, -'train'.length);
  const lists = [KAGGLE.train, KAGGLE.test].map((list) => join(root, list));
  const train = await kaggleImages(lists[0], `${folder}train`, names, parsed.onFault);
  const test = await kaggleImages(lists[1], `${folder}test`, names, parsed.onFault);
  return pooled({ variant: 'kaggle', root, ...both(train, test), names, list: lists.join(' or ') }, parsed);
}

async function kaggleImages(path: string, folder: string, names: string[], onFault: OnFault): Promise<Annotation[]> {
  return eachLine(await linesOf(path), onFault, (line) => {
    const [file, ...numbers] = columnsOf(path, line, KAGGLE_COLUMNS, true);
    const most = names.length || CLASSES;
    const read = numbers.map((text, i) => {
      const what = KAGGLE_COLUMNS.split(' ')[i + 1];
      return integerIn(path, line.number, what, text, what === 'class' ? { most } : { least: 0 });
    });
    const label = read[4];
    if (!names[label - 1]) throw lineFault(path, line.number, `a class that ${KAGGLE.names} names`, label);
    const name = names[label - 1].replaceAll('/', '-');
    pathIn(path, line.number, file);
    return { file: pathIn(path, line.number, `${folder}/${name}/${file}`), label };
  });
}

/** The images of two lists, and whether each has the set's last one. */
function both(train: readonly Annotation[], test: readonly Annotation[]): Pick<Pool, 'images' | 'whole'> {
  const has = (images: readonly Annotation[], name: string) => images.some(({ file }) => basename(file) === name);
  return { images: [...train, ...test], whole: has(train, '08144.jpg') && has(test, '08041.jpg') };
}

interface Pool {
  variant: string;
  root: string;
  images: readonly Annotation[];
  /** Of class 1, 2, ... */
  names: readonly string[];
  /** Whether the lists say that all images are there. */
  whole: boolean;
  list: string;
}

async function pooled({ variant, root, images, names, whole, list }: Pool, options: z.output<typeof cars196Options>) {
  const { lastTrainClass, stat, onFault, ...work } = options;
  const once = withoutRepeats(images, list, onFault);
  const sided = once.map(({ file, label }) => ({ file, label, side: label <= lastTrainClass ? 'train' : 'test' }));
  const classNames = new Map(names.flatMap((name, i) => [[i + 1, name] as const]));
  const archive = archiveOf(`cars196/${variant}`, root, ['train', 'test'], sided, classNames);
  if (whole && lastTrainClass === CLASSES / 2) checkPublished(archive, PUBLISHED, list, onFault);
  if (stat) await checkFiles(archive, list, onFault, work);
  return archive;
}

function withoutRepeats(images: readonly Annotation[], list: string, onFault: OnFault): readonly Annotation[] {
  const seen = new Set<string>();
  return images.filter(({ file }) => {
    if (seen.has(file)) {
      onFault(new EatDmlError('ERR_DATA', `Expected each image once but received ${file} again in ${list}.`));
      return false;
    }
    return seen.add(file);
  });
}

const variant = (
  name: string,
  lists: readonly (readonly string[])[],
  read: Layout['read'],
  marks = lists.map(([place]) => place).join(' and '),
): Layout => ({
  name: `cars196/${name}`,
  homes: ['.', 'cars196', 'stanford_cars'],
  marks,
  presence: (root) => presenceOf(root, lists),
  read,
});

export const CARS196: readonly Layout[] = [
  variant('union', [UNION], cars196Union),
  variant('devkit', [TRAIN, TEST], cars196Devkit),
  variant('kaggle', [[KAGGLE.train], [KAGGLE.test]], cars196Kaggle),
];
