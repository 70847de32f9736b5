import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EatDmlError } from '../errors.js';
import { lockFolder } from './lock-folder.js';
import { MANIFEST, type Manifest, readManifest } from './manifest.js';

/** Beside the manifest: what the caller of `train` wants to be known of a run, for people to read. */
export const RUN = 'run.json';

const STEP = /^step-\d+(-\d+)?$/;

/**
 * Removes what `previous` names and what a killed process had put in place but not yet pointed to: folders of steps that hold
 * a manifest of their own which names their files. Nothing else in `dir` is ours. What cannot be removed waits for the next
 * time, as does what a process that is killed meanwhile leaves: a step's manifest is the last of its files to go.
 */
export async function removeOlder(dir: string, keep: string | undefined, previous?: Manifest): Promise<void> {
  const isOld = (path: string) => path.split('/')[0] !== keep;
  for (const name of (await readdir(dir)).filter((name) => STEP.test(name) && isOld(name))) {
    const own = await readManifest(join(dir, name)).catch(() => undefined);
    if (!own?.files.every(({ path }) => path.startsWith(`${name}/`))) {
      // What a process killed after the last file leaves; in a folder of anybody's own there is something.
      await rmdir(join(dir, name)).catch(() => {});
      continue;
    }
    if (await removeFiles(dir, pathsOf(own))) await removeFiles(dir, [`${name}/${MANIFEST}`]);
  }
  await removeFiles(dir, pathsOf(previous).filter(isOld));
}

function pathsOf(manifest: Manifest | undefined): string[] {
  return manifest?.files.map(({ path }) => path) ?? [];
}

/** The folder in a run's that holds the checkpoint of its best epoch: never the one that training goes on from. */
export const BEST = 'best';

/** ERR_CHECKPOINT where a new run would go over another, or over a run.json that is not ours. */
export async function checkVacant(dir: string, writesRun: boolean): Promise<void> {
  const there = new Set(await readdir(dir));
  const found = (what: string, hint: string) =>
    new EatDmlError('ERR_CHECKPOINT', `Expected no ${what} in ${dir} for a new run but found one.`, { hint });
  if (there.has(MANIFEST)) throw found('checkpoint', 'Resume it, remove it, or name another folder.');
  if (writesRun && there.has(RUN)) throw found(RUN, 'It belongs to no checkpoint: remove it, or name another folder.');
}

/** Removes the checkpoint in `dir`, that of its best epoch with it, and nothing else there. ERR_CHECKPOINT when it is damaged or being written. */
export async function removeCheckpoint(dir: string): Promise<void> {
  const folder = await lockFolder(dir);
  const best = join(dir, BEST);
  try {
    await removeNewest(dir);
    if (!existsSync(join(best, MANIFEST))) return;
    await removeNewest(best);
    await rmdir(best).catch(() => {});
  } finally {
    await folder.release();
  }
}

async function removeNewest(dir: string): Promise<void> {
  const manifest = await readManifest(dir);
  // The manifest goes first: what is left of the rest without it is no checkpoint.
  await rm(join(dir, MANIFEST));
  if (manifest.run !== undefined) await rm(join(dir, RUN), { force: true });
  await removeOlder(dir, undefined, manifest);
}

/** Whether all are gone; folders that are empty then go, too. */
async function removeFiles(dir: string, paths: string[]): Promise<boolean> {
  let gone = true;
  for (const path of paths) {
    await rm(join(dir, path), { force: true }).catch(() => {
      gone = false;
    });
  }
  const folders = new Set(paths.flatMap((path) => parents(path)));
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) await rmdir(join(dir, folder)).catch(() => {});
  return gone;
}

/** a/b/c: a/b, a. */
function parents(path: string): string[] {
  const folder = dirname(path);
  return folder === '.' ? [] : [folder, ...parents(folder)];
}
