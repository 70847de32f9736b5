import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EatDmlError } from '../../errors.js';

/** What `eat-dml data emoji` installs: four vendors' drawings of the same characters. */
export const EMOJI_PACKAGES = {
  'emoji-datasource-google': '16.0.0',
  'emoji-datasource-twitter': '16.0.0',
  'emoji-datasource-facebook': '16.0.0',
  openmoji: '17.0.0',
} as const;

/** Pixels of a side, as the vendors' smaller PNGs have. */
export const EMOJI_SIDE = 64;

/** The remedy for all that is missing or damaged. */
export const FETCH_EMOJI = 'Run: eat-dml data emoji';
/** U+FE0F only asks for a coloured glyph; vendors leave it out of file names or not. */
const PRESENTATION = 'fe0f';
/** The five skin tones; those with the last alone are classes of their own, beside the drawings without any. */
const TONES = ['1f3fb', '1f3fc', '1f3fd', '1f3fe', '1f3ff'];
const KEPT_TONE = TONES[4];

/** File of each emoji by its code points, such as "1f468-1f3ff"; one map per vendor. */
export type VendorFiles = Map<string, string>[];

/**
 * The emoji that every vendor draws, without skin tone or with the darkest: class c is `codes[c]`, and `files[v][c]` is
 * how vendor v draws it. `packages` is the folder that holds node_modules.
 *
 * @throws EatDmlError ERR_DATA with the remedy when a package is not there.
 */
export async function listEmoji(packages: string): Promise<{ codes: string[]; files: string[][] }> {
  const vendors: VendorFiles = [];
  for (const name of Object.keys(EMOJI_PACKAGES)) vendors.push(await filesOf(packages, name));
  const common = commonEmoji(vendors);
  if (common.codes.length > 0) return common;
  const counts = vendors.map((files) => files.size).join(', ');
  throw new EatDmlError('ERR_DATA', `Expected drawings that all vendors have in ${packages} but received ${counts}.`, {
    hint: FETCH_EMOJI,
  });
}

/** The codes that all vendors have, sorted, and their files. */
export function commonEmoji(vendors: VendorFiles): { codes: string[]; files: string[][] } {
  const codes = [...vendors[0].keys()]
    .filter((code) => isKept(code) && vendors.every((files) => files.has(code)))
    .sort();
  return { codes, files: vendors.map((files) => codes.map((code) => files.get(code)!)) };
}

function isKept(code: string): boolean {
  return code.split('-').every((point) => !TONES.includes(point) || point === KEPT_TONE);
}

async function filesOf(packages: string, name: string): Promise<Map<string, string>> {
  const vendor = name.replace('emoji-datasource-', '');
  const inside = name === 'openmoji' ? ['color', 'svg'] : ['img', vendor, '64'];
  const folder = join(packages, 'node_modules', name, ...inside);
  const files = await readdir(folder).catch((cause) => {
    throw new EatDmlError('ERR_DATA', `Expected the npm package ${name} in ${packages} but received none.`, {
      hint: FETCH_EMOJI,
      cause,
    });
  });
  return new Map(files.filter((file) => /\.(png|svg)$/.test(file)).map((file) => [codeOf(file), join(folder, file)]));
}

/** "0033-FE0F-20E3.svg" -> "0033-20e3". */
export function codeOf(file: string): string {
  const points = file
    .toLowerCase()
    .replace(/\.[a-z]+$/, '')
    .split('-');
  return points.filter((point) => point !== PRESENTATION).join('-');
}

/** What this package uses of sharp. */
interface Sharp {
  (input: Buffer): Sharp;
  resize(width: number, height: number, options: object): Sharp;
  flatten(options: object): Sharp;
  removeAlpha(): Sharp;
  toColourspace(name: string): Sharp;
  raw(): Sharp;
  toBuffer(): Promise<Buffer>;
}

/**
 * Every file as EMOJI_SIDE x EMOJI_SIDE x 3 bytes on white, by sharp, which is looked up as a module of any of `places`
 * would.
 */
export async function decodeEmoji(files: readonly string[], places: readonly string[]): Promise<Uint8Array[]> {
  const sharp = loadSharp(places);
  const images: Uint8Array[] = [];
  for (const file of files) images.push(await decodeFile(sharp, file));
  return images;
}

async function decodeFile(sharp: Sharp, file: string): Promise<Uint8Array> {
  try {
    const drawing = sharp(await readFile(file))
      .resize(EMOJI_SIDE, EMOJI_SIDE, { fit: 'contain', background: '#ffffff00' })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .removeAlpha();
    const pixels = await drawing.raw().toBuffer();
    if (pixels.length === EMOJI_SIDE * EMOJI_SIDE * 3) return pixels;
    throw new Error(`${pixels.length} bytes`);
  } catch (cause) {
    const received = (cause as Error).message;
    throw new EatDmlError(
      'ERR_DATA',
      `Expected an image that makes ${EMOJI_SIDE} x ${EMOJI_SIDE} x 3 bytes but received ${received} in ${file}.`,
      { hint: FETCH_EMOJI, cause },
    );
  }
}

function loadSharp(places: readonly string[]): Sharp {
  const failures: unknown[] = [];
  for (const place of places) {
    try {
      return createRequire(place)('sharp') as Sharp;
    } catch (cause) {
      failures.push(cause);
    }
  }
  throw new EatDmlError('ERR_DATA', 'Expected the npm package sharp, which decodes images, but received none.', {
    hint: FETCH_EMOJI,
    cause: failures[0],
  });
}
