import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { dataFault, describe, type EatDmlError } from '../../errors.js';
import { pathText, positive, problemsOf } from '../../options.js';
import type { Credit } from './data-set.js';

/**
 * What `eat-dml data emoji` installs: Iconify's packages of eleven vendors' drawings, in the order in which each emoji has
 * them. Its fluent-emoji is left out: fluent-emoji-flat is nearly the same.
 */
export const EMOJI_PACKAGES = {
  '@iconify-json/noto': '1.2.9',
  '@iconify-json/noto-v1': '1.2.5',
  '@iconify-json/fluent-emoji-flat': '1.2.6',
  '@iconify-json/fluent-emoji-high-contrast': '1.2.6',
  '@iconify-json/openmoji': '1.2.29',
  '@iconify-json/twemoji': '1.2.5',
  '@iconify-json/emojione': '1.2.3',
  '@iconify-json/emojione-v1': '1.2.3',
  '@iconify-json/emojione-monotone': '1.2.1',
  '@iconify-json/fxemoji': '1.2.2',
  '@iconify-json/streamline-emojis': '1.2.4',
} as const;

/** The remedy for all that is missing or damaged. */
export const FETCH_EMOJI = 'Run: eat-dml data emoji';

/** One drawing as SVG: what is inside, and which part of the plane is seen. */
export interface Icon {
  body: string;
  width: number;
  height: number;
  left: number;
  top: number;
}

/** An icon set as its package has it. */
export interface IconSet {
  /** As icons are called by: "twemoji" of "twemoji:grinning-face". */
  prefix: string;
  /** The name of the icon by code points, such as "1f468-200d-1f680"; empty where the package doesn't tell. */
  codes: ReadonlyMap<string, string>;
  /** By name, in the package's order. */
  icons: ReadonlyMap<string, unknown>;
  size: Pick<Icon, 'width' | 'height'>;
  /** Where errors say that icons are. */
  file: string;
  credit: Omit<Credit, 'images'>;
}

/** U+FE0F only asks for a coloured glyph; vendors leave it out or not. */
const PRESENTATION = 'fe0f';
/** Iconify's, where an icon and its set say none. */
const ICONIFY_SIZE = 16;

const names = z.record(z.string(), z.string());
const side = positive.optional();
const iconSet = z.object({ prefix: z.string(), icons: z.record(z.string(), z.unknown()), width: side, height: side });
const number = z.number().optional();
const not = z.literal(false).optional();
/** Nothing is drawn that would have to be turned or mirrored first. */
const plain = { rotate: z.literal(0).optional(), hFlip: not, vFlip: not };
const icon = z.object({ body: z.string(), width: side, height: side, left: number, top: number, ...plain });
const manifest = z.object({ version: z.string() });
const link = z.string().optional();
const info = z.object({
  name: z.string(),
  author: z.object({ name: z.string(), url: link }),
  license: z.object({ spdx: z.string(), url: link }),
});

/**
 * The eleven sets; `packages` is the folder that holds node_modules.
 *
 * @throws EatDmlError ERR_DATA with the remedy when a package is not there, is of another version, or is damaged.
 */
export async function readIconSets(packages: string): Promise<IconSet[]> {
  const sets: IconSet[] = [];
  for (const [name, version] of Object.entries(EMOJI_PACKAGES)) {
    const folder = join(packages, 'node_modules', name);
    if (!existsSync(folder)) throw fault(packages, `the npm package ${name}`, 'none');
    sets.push(await readIconSet(folder, name, version));
  }
  return sets;
}

async function readIconSet(folder: string, name: string, version: string): Promise<IconSet> {
  const path = join(folder, 'package.json');
  const received = (await readJson(path, manifest)).version;
  if (received !== version) throw fault(path, `version ${version}`, received);
  const file = join(folder, 'icons.json');
  const { prefix, icons, width = ICONIFY_SIZE, height = ICONIFY_SIZE } = await readJson(file, iconSet);
  const codes = new Map<string, string>();
  for (const [code, iconName] of Object.entries(await readJson(join(folder, 'chars.json'), names))) {
    codes.set(withoutPresentation(code), iconName);
  }
  const { name: title, author, license } = await readJson(join(folder, 'info.json'), info);
  const credit = { title, author: author.name, licence: license.spdx, url: author.url, licenceUrl: license.url };
  return {
    ...{ prefix, codes, file, size: { width, height } },
    icons: new Map(Object.entries(icons)),
    credit: { package: name, version, ...credit },
  };
}

/** "0033-fe0f-20e3" -> "0033-20e3". */
export function withoutPresentation(code: string): string {
  const points = code.split('-');
  return points.filter((point) => point !== PRESENTATION).join('-');
}

/** The icon of that name; ERR_DATA where it is no plain drawing. */
export function iconNamed({ icons, size, file }: IconSet, name: string): Icon {
  const given = checked(icons.get(name), icon, `icon ${name} of ${file}`);
  const { body, left = 0, top = 0, width = size.width, height = size.height } = given;
  return { body, left, top, width, height };
}

async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw fault(path, 'a readable file', `${(cause as NodeJS.ErrnoException).code}`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fault(path, 'JSON', 'other text', cause);
  }
  return checked(value, schema, path);
}

function checked<S extends z.ZodType>(value: unknown, schema: S, where: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, expected, received }] = problemsOf(schema, value);
  throw fault(where, path.length > 0 ? `${expected} as ${pathText(path)}` : expected, describe(received));
}

function fault(where: string, expected: string, received: string, cause?: unknown): EatDmlError {
  return dataFault(where, expected, received, { hint: FETCH_EMOJI, cause });
}
