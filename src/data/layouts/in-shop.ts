import { dirname, join } from 'node:path';
import { EatDmlError } from '../../errors.js';
import { parseOptions } from '../../options.js';
import { type Archive, archiveOf, type LayoutOptions, type Listed, layoutOptions } from './archive.js';
import { checkFiles } from './check-files.js';
import { firstOf, type Layout, presenceOf } from './layout.js';
import { checkPublished, type Published } from './published.js';
import {
  columnsOf,
  eachLine,
  integerIn,
  type Line,
  lineFault,
  linesOf,
  type OnFault,
  pathIn,
  withoutHeader,
} from './text-list.js';

const COLUMNS = 'image_name item_id evaluation_status';
const SIDES = ['train', 'query', 'gallery'];
const LIST = 'list_eval_partition.txt';
const LISTS = [`Eval/${LIST}`, LIST, `Anno/${LIST}`];

/** Where the list's `img` may lie: where img.zip was unpacked; img_highres has the same pictures in larger. */
const PICTURES = ['Img/img', 'img', 'Img/img_highres', 'img_highres'];

const TOTAL = 52712;
const PUBLISHED: Published = { train: [25882, 3997], query: [14218, 3985], gallery: [12612, 3985] };

/**
 * DeepFashion's In-Shop Clothes Retrieval as it is unpacked: `Eval/list_eval_partition.txt`, and the pictures in `Img/img`
 * (or `img`, or `img_highres`, the first of them that there is). The archive's root is the folder that holds them.
 *
 * @throws EatDmlError ERR_DATA that names the file and the line, ERR_ARGUMENT, ERR_ABORTED.
 */
export async function inShop(root: string, options: LayoutOptions = {}): Promise<Archive> {
  const { stat, onFault, ...work } = parseOptions(layoutOptions, options);
  const path = join(root, (await firstOf(root, LISTS)) ?? LISTS[0]);
  const pictures = (await firstOf(root, PICTURES)) ?? 'img';
  const highres = pictures.endsWith('_highres');
  const [total, ...lines] = await linesOf(path);
  const listed = imagesIn(path, withoutHeader(path, lines, COLUMNS, onFault), onFault);
  const images = highres
    ? listed.map((image) => ({ ...image, file: image.file.replace(/^img\//, 'img_highres/') }))
    : listed;
  const names = images.map(({ label, item }) => [label, item] as const);
  const archive = archiveOf('in-shop', join(root, dirname(pictures)), SIDES, images, new Map(names));
  if (announced(path, total, images.length, onFault) === TOTAL) checkPublished(archive, PUBLISHED, path, onFault);
  if (stat) await checkFiles(archive, path, onFault, work);
  return archive;
}

/** How many images the list's first line says that there are; a fault where there are not. */
function announced(path: string, total: Line | undefined, held: number, onFault: OnFault): number | undefined {
  const [count] = eachLine(total ? [total] : [], onFault, ({ number, text }) =>
    integerIn(path, number, 'the number of images', text, { least: 0 }),
  );
  if (!total) onFault(lineFault(path, 1, 'the number of images', ''));
  if (count !== undefined && count !== held) {
    const expected = `${count} images, as its first line says,`;
    onFault(new EatDmlError('ERR_DATA', `Expected ${expected} but received ${held} in ${path}.`));
  }
  return count;
}

function imagesIn(path: string, lines: readonly Line[], onFault: OnFault): (Listed & { item: string })[] {
  const seen = new Set<string>();
  /** Whether an item is for training: none is for both. */
  const trains = new Map<number, boolean>();
  return eachLine(lines, onFault, (line) => {
    const [name, item, side] = columnsOf(path, line, COLUMNS);
    const file = pathIn(path, line.number, name);
    if (!file.startsWith('img/')) throw lineFault(path, line.number, 'a path that begins with img/', file);
    if (seen.has(file)) throw lineFault(path, line.number, 'each image once', `${file} again`);
    if (!item.startsWith('id_')) throw lineFault(path, line.number, 'an item_id such as id_00000001', item);
    const label = integerIn(path, line.number, 'the number in item_id', item.slice(3));
    if (!SIDES.includes(side)) throw lineFault(path, line.number, SIDES.join(', ').replace(/, (\w+)$/, ' or $1'), side);
    const train = side === 'train';
    if ((trains.get(label) ?? train) !== train) {
      throw lineFault(path, line.number, 'items for training that are not for test', item);
    }
    seen.add(file);
    trains.set(label, train);
    return { file, label, side, item };
  });
}

export const IN_SHOP: Layout = {
  name: 'in-shop',
  homes: ['.', 'In-shop Clothes Retrieval Benchmark', 'In-shop', 'inshop'],
  marks: `Eval/${LIST}`,
  presence: (root) => presenceOf(root, [LISTS]),
  read: inShop,
};
