import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive, LayoutOptions } from './archive.js';

/** How much of a layout a folder has; perhaps: what would fit others as well. */
export type Presence = 'whole' | 'part' | 'perhaps' | 'none';

/** One way in which archives lie in a folder. */
export interface Layout {
  /** As `--as` takes it; several of one name before the '/' are variants of one set. */
  readonly name: string;
  /** Folders below the one that is named in which it may lie; '.' is that folder itself. */
  readonly homes: readonly string[];
  /** What it is known by, for messages. */
  readonly marks: string;
  presence(root: string): Promise<Presence>;
  read(root: string, options?: LayoutOptions): Promise<Archive>;
}

/** The presence of `lists`, each of which may lie at one of several places. */
export async function presenceOf(root: string, lists: readonly (readonly string[])[]): Promise<Presence> {
  const found = await Promise.all(lists.map((places) => firstOf(root, places)));
  if (found.every((place) => place !== undefined)) return 'whole';
  return found.some((place) => place !== undefined) ? 'part' : 'none';
}

/** The first of `places` below `root` that there is. */
export async function firstOf(root: string, places: readonly string[]): Promise<string | undefined> {
  for (const place of places) {
    const there = await stat(join(root, place)).catch(() => undefined);
    if (there) return place;
  }
  return undefined;
}
