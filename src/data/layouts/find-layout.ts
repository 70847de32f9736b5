import { z } from 'zod';
import { parse } from '../../options.js';
import type { Archive, LayoutOptions } from './archive.js';
import { CARS196 } from './cars196.js';
import { CUB200 } from './cub200.js';
import { FOLDER } from './folder.js';
import { IN_SHOP } from './in-shop.js';
import type { Layout } from './layout.js';
import { recognise } from './recognise.js';
import { SOP } from './sop.js';

const LAYOUTS: readonly Layout[] = [CUB200, ...CARS196, IN_SHOP, SOP, FOLDER];

/** What `--as` takes: cub200, cars196, cars196/union, ... */
export const LAYOUT_NAMES: readonly string[] = [...new Set(LAYOUTS.flatMap(({ name }) => [name.split('/')[0], name]))];

/** A name of {@link LAYOUT_NAMES}, as a schema. */
export const layoutName = z.enum(LAYOUT_NAMES as [string, ...string[]]);

/** An archive that was recognised, and not read yet. */
export interface FoundLayout {
  /** With its variant, where there are several. */
  layout: string;
  /** The folder in which its lists lie: the one that was named, or one below it. */
  root: string;
  read(options?: LayoutOptions): Promise<Archive>;
}

/**
 * Which layout the folder at `path` has; `as` says which it should be. CUB_200_2011 in CUB_200_2011, as Kaggle packs it, is
 * found from either.
 *
 * @throws EatDmlError ERR_DATA where there is no folder, or no layout, or several; ERR_ARGUMENT for `as`.
 */
export async function findLayout(path: string, as?: string): Promise<FoundLayout> {
  parse(z.string(), path, 'path');
  const name = as === undefined ? undefined : parse(layoutName, as, 'as');
  const asked = LAYOUTS.filter((layout) => !name || layout.name === name || layout.name.startsWith(`${name}/`));
  const { layout, root } = await recognise(path, asked);
  return { layout: layout.name, root, read: (options) => layout.read(root, options) };
}
