import { join } from 'node:path';
import { parseOptions } from '../../options.js';
import { type Archive, archiveOf, type LayoutOptions, type Listed, layoutOptions } from './archive.js';
import { checkFiles } from './check-files.js';
import { type Layout, presenceOf } from './layout.js';
import { checkPublished, type Published } from './published.js';
import {
  columnsOf,
  eachLine,
  integerIn,
  lineFault,
  linesOf,
  type OnFault,
  pathIn,
  withoutHeader,
} from './text-list.js';

const COLUMNS = 'image_id class_id super_class_id path';
const LISTS = { train: 'Ebay_train.txt', test: 'Ebay_test.txt' };

/** The id of each side's last image, and the counts of the papers. */
const LAST = { train: 59551, test: 120053 };
const PUBLISHED: Published = { train: [59551, 11318], test: [60502, 11316] };

type Side = keyof typeof LISTS;

/**
 * Stanford Online Products as it is unpacked: `Ebay_train.txt`, `Ebay_test.txt`, and the pictures in folders beside them.
 *
 * @throws EatDmlError ERR_DATA that names the file and the line, ERR_ARGUMENT, ERR_ABORTED.
 */
export async function sop(root: string, options: LayoutOptions = {}): Promise<Archive> {
  const { stat, onFault, ...work } = parseOptions(layoutOptions, options);
  const seen: Seen = { ids: new Set(), sides: new Map() };
  const train = await imagesIn(join(root, LISTS.train), 'train', seen, onFault);
  const test = await imagesIn(join(root, LISTS.test), 'test', seen, onFault);
  const archive = archiveOf('sop', root, ['train', 'test'], [...train, ...test]);
  for (const side of ['train', 'test'] as const) {
    if (!seen.ids.has(LAST[side])) continue;
    checkPublished(archive, { [side]: PUBLISHED[side] }, join(root, LISTS[side]), onFault);
  }
  if (stat) await checkFiles(archive, `${LISTS.train} or ${LISTS.test}`, onFault, work);
  return archive;
}

/** Over both lists: the images that there were, and the side of each class. */
interface Seen {
  ids: Set<number>;
  sides: Map<number, Side>;
}

async function imagesIn(path: string, side: Side, { ids, sides }: Seen, onFault: OnFault): Promise<Listed[]> {
  const lines = withoutHeader(path, await linesOf(path), COLUMNS, onFault);
  return eachLine(lines, onFault, (line) => {
    const [first, second, third, file] = columnsOf(path, line, COLUMNS);
    const id = integerIn(path, line.number, 'image_id', first);
    const label = integerIn(path, line.number, 'class_id', second);
    integerIn(path, line.number, 'super_class_id', third);
    if (ids.has(id)) throw lineFault(path, line.number, 'each image_id once', `${id} again`);
    const other = sides.get(label);
    if (other && other !== side) throw lineFault(path, line.number, `a class that is not in ${LISTS[other]}`, label);
    const listed = { file: pathIn(path, line.number, file), label, side };
    ids.add(id);
    sides.set(label, side);
    return listed;
  });
}

export const SOP: Layout = {
  name: 'sop',
  homes: ['.', 'Stanford_Online_Products'],
  marks: `${LISTS.train} and ${LISTS.test}`,
  presence: (root) => presenceOf(root, [[LISTS.train], [LISTS.test]]),
  read: sop,
};
