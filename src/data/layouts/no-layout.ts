import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { amount } from '../../amount.js';
import { EatDmlError } from '../../errors.js';
import { hasClassFolders, isImage, othersText, SUPPORTED, subfolders } from './class-folders.js';
import type { Layout } from './layout.js';

/** Folders that are looked into: it is only for a hint. */
const MOST = 1000;

const ONE_EACH = 'Each class has a folder of its own, named as the class.';

/** The error of a folder that has none of the layouts: what it holds instead, where that is plain to see. */
export async function noLayout(path: string, layouts: readonly Layout[]): Promise<EatDmlError> {
  const seen = layouts.some(({ name }) => name === 'folder') ? await seenIn(path) : undefined;
  if (seen) return seen;
  const names = layouts.map(({ name, marks }) => `${name} (${marks})`).join('; ');
  return new EatDmlError('ERR_DATA', `Expected an archive of images in ${path} but found none of: ${names}.`, {
    hint: 'Name the folder in which the archive was unpacked.',
  });
}

/** What a folder holds that was to have a folder of images for each class: images beside folders, one class alone, other pictures. */
async function seenIn(path: string): Promise<EatDmlError | undefined> {
  const folders = (await subfolders(path)).slice(0, MOST);
  const inside = await Promise.all(folders.map((name) => namesIn(join(path, name))));
  const direct = await namesIn(path);
  const classes = folders.filter((_, i) => inside[i].some(isImage));
  const images = direct.filter(isImage).length;
  const others = othersText([...direct, ...inside.flat()]);
  const fault = (expected: string, received: string, hint: string) =>
    new EatDmlError('ERR_DATA', `Expected ${expected} in ${path} but received ${received}.`, { hint });
  if (classes.length === 0 && images > 0) {
    const received = `${amount(images, 'image')} that lie in no folder of a class`;
    return fault('a folder of images for each class', received, ONE_EACH);
  }
  if (others !== undefined) {
    const received = classes.length === 0 ? others.text : `${classes.length} (${classes[0]}), beside ${others.text}`;
    return fault(`at least 2 folders of ${SUPPORTED} images`, received, `${others.hint} ${ONE_EACH}`);
  }
  if (classes.length === 1) return fault('at least 2 folders of images', `1 (${classes[0]})`, ONE_EACH);
  for (const name of folders) {
    if (!(await hasClassFolders(join(path, name)))) continue;
    return fault('a folder of images for each class', `them in ${name} below it`, `Name ${join(path, name)}.`);
  }
  return undefined;
}

/** The names in a folder; none where it cannot be read. */
function namesIn(path: string): Promise<string[]> {
  return readdir(path).catch((): string[] => []);
}
