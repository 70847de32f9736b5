import { existsSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { PARTS } from '../config/lists.js';
import { hasOption } from '../config/make.js';
import { near, suggestionText } from '../options.js';

const NAMES = PARTS.data.map(({ name }): string => name);

/** A data set as a flag names it: fashion-mnist, or cub200:/path for one that lies in a folder. */
export interface DataSpec {
  name: string;
  root?: string;
}

/** "cub200:/data/CUB_200_2011" in its parts. */
export function dataSpec(text: string): DataSpec {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const root = colon < 0 ? undefined : text.slice(colon + 1);
  if (!NAMES.includes(name)) {
    const meant = existsSync(text) ? { suggestion: `folder:${text}` } : near(name, NAMES);
    throw new InvalidArgumentError(`Allowed choices are ${NAMES.join(', ')}${suggestionText(meant) || '.'}`);
  }
  const inFolder = hasOption(PARTS.data as never, name, 'root');
  if (inFolder && !root) throw new InvalidArgumentError(`Expected the folder of ${name}, such as ${name}:/path.`);
  if (!inFolder && root !== undefined) throw new InvalidArgumentError(`Expected ${name} alone: it lies in no folder.`);
  return root === undefined ? { name } : { name, root };
}

/** The text again where it is one: what a flag is kept as. */
export function dataText(text: string): string {
  dataSpec(text);
  return text;
}
