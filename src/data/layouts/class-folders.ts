import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { amount } from '../../amount.js';
import { EatDmlError, throwIfAborted } from '../../errors.js';
import type { OnFault } from './text-list.js';

/** A folder whose name is that of a class. */
export interface ClassFolder {
  name: string;
  /** Its images, relative to the root, by their paths. */
  files: string[];
}

/** What is an image, by its name; JPG as jpg. */
const IMAGE = /\.(jpe?g|png|webp|tiff?|gif)$/i;

/** What is decoded, for messages. */
export const SUPPORTED = 'JPEG, PNG, WebP, GIF or TIFF';

/** Pictures that are not decoded, by their names. */
const OTHER = /\.(avif|bmp|dib|heic|heif|jp2|jxl|svg|psd|tga|p[bgnp]m|ico|cr[23]|nef|arw|dng)$/i;

/** Folders that are read at once: there may be more than files may be open. */
const AT_ONCE = 64;

/** The class folders in `root`, by name; one without images is a fault. */
export async function classFolders(root: string, onFault: OnFault, signal?: AbortSignal): Promise<ClassFolder[]> {
  return classFoldersIn(root, '', onFault, signal);
}

/** {@link classFolders} in a folder of `root`; paths are relative to `root` even so. */
export async function classFoldersIn(
  root: string,
  inner: string,
  onFault: OnFault,
  signal?: AbortSignal,
): Promise<ClassFolder[]> {
  const names = await subfolders(join(root, inner));
  const folders: ClassFolder[] = [];
  for (let start = 0; start < names.length; start += AT_ONCE) {
    throwIfAborted(signal);
    const some = names.slice(start, start + AT_ONCE);
    const files = await Promise.all(some.map((name) => imagesBelow(root, join(root, inner, name))));
    some.forEach((name, i) => {
      folders.push({ name, files: files[i] });
    });
  }
  for (const { name, files } of folders) {
    if (files.length > 0) continue;
    const path = join(root, inner, name);
    const others = othersText(await readdir(path).catch((): string[] => []));
    const message = `Expected at least one image but received ${others?.text ?? 'none'} in ${path}.`;
    onFault(new EatDmlError('ERR_DATA', message, { hint: others?.hint }));
  }
  return folders;
}

/** "12 .bmp files", and what to do about them; undefined where there is no such picture among the names. */
export function othersText(names: readonly string[]): { text: string; hint: string } | undefined {
  const counts = new Map<string, number>();
  for (const name of names) {
    const ending = name.startsWith('.') ? undefined : OTHER.exec(name)?.[0].toLowerCase();
    if (ending) counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  if (counts.size === 0) return undefined;
  const texts = [...counts].map(([ending, count]) => amount(count, `${ending} file`));
  return { text: texts.join(' and '), hint: `Convert them to ${SUPPORTED}.` };
}

/** Whether `root`, or the folder train in it, has two folders with an image directly in them. */
export async function hasClassFolders(root: string): Promise<boolean> {
  return (await holdsTwo(root)) || holdsTwo(join(root, 'train'));
}

async function holdsTwo(root: string): Promise<boolean> {
  let held = 0;
  for (const name of await subfolders(root).catch((): string[] => [])) {
    const entries = await readdir(join(root, name)).catch(() => []);
    if (entries.some(isImage) && ++held === 2) return true;
  }
  return false;
}

/** The names of the folders in `root` that are not hidden, in order; links to folders count. */
export async function subfolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch((cause) => {
    throw unreadable(root, cause);
  });
  const kept: string[] = [];
  for (const entry of entries) {
    if (!entry.name.startsWith('.') && entry.name !== '__MACOSX' && (await isFolder(root, entry)))
      kept.push(entry.name);
  }
  return kept.sort();
}

async function isFolder(root: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(join(root, entry.name)).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function imagesBelow(root: string, path: string): Promise<string[]> {
  // Links to folders further below are not followed: they may lead round in a circle.
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch((cause) => {
    throw unreadable(path, cause);
  });
  const images = entries.filter((entry) => !entry.isDirectory() && isImage(entry.name));
  return images
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !file.includes('/.'))
    .sort();
}

/** Whether it is an image by its name, and not hidden. */
export function isImage(name: string): boolean {
  return !name.startsWith('.') && IMAGE.test(name);
}

function unreadable(path: string, cause: NodeJS.ErrnoException): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected a readable folder but received ${cause.code} at ${path}.`, { cause });
}
