import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EatDmlError } from '../../errors.js';
import type { Layout, Presence } from './layout.js';
import { noLayout } from './no-layout.js';

/** A layout, and the folder in which it lies. */
export interface Found {
  layout: Layout;
  root: string;
}

/** What is taken before what: a set with a list missing is no folder of one's own. */
const ORDER: readonly Presence[] = ['whole', 'part', 'perhaps'];

/**
 * Which of `layouts` the folder at `path` has, or one of the folders below in which that layout is usual.
 *
 * @throws EatDmlError ERR_DATA where there is no folder, or none of the layouts, or several of them.
 */
export async function recognise(path: string, layouts: readonly Layout[]): Promise<Found> {
  await checkFolder(path);
  const found = (await Promise.all(layouts.map((layout) => nearest(path, layout)))).filter((one) => one !== undefined);
  for (const wanted of ORDER) {
    const some = found.filter(({ presence }) => presence === wanted);
    if (some.length === 1) return some[0];
    if (some.length > 1) throw ambiguous(path, some);
  }
  throw await noLayout(path, layouts);
}

async function checkFolder(path: string): Promise<void> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const received = cause.code === 'ENOENT' ? 'none' : cause.code;
    throw new EatDmlError('ERR_DATA', `Expected a folder but received ${received} at ${path}.`, { cause });
  });
  if (!stats.isDirectory()) throw new EatDmlError('ERR_DATA', `Expected a folder but received a file at ${path}.`);
}

/** The first home of a layout that has all of it, else the first that has some. */
async function nearest(path: string, layout: Layout): Promise<(Found & { presence: Presence }) | undefined> {
  let partly: (Found & { presence: Presence }) | undefined;
  for (const home of layout.homes) {
    const root = join(path, home);
    const presence = await layout.presence(root);
    if (presence === 'whole') return { layout, root, presence };
    if (presence !== 'none') partly ??= { layout, root, presence };
  }
  return partly;
}

function ambiguous(path: string, found: readonly Found[]): EatDmlError {
  const names = found.map(({ layout, root }) => `${layout.name} in ${root}`).join(', ');
  return new EatDmlError('ERR_DATA', `Expected one archive in ${path} but found ${found.length}: ${names}.`, {
    hint: 'Say which it is (--as), or name the folder of one.',
  });
}
