import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMOJI_PACKAGES } from '../../../src/data/sets/emoji-packages.js';

/** Code points and names of the made-up emoji, as five of the eleven packages tell them. */
export const MADE_UP = { '1f600': 'red', '1f601': 'green', '1f602': 'blue', '2600-fe0f': 'sun', '1f47b': 'seldom' };

const CODED = ['noto', 'fluent-emoji-flat', 'fluent-emoji-high-contrast', 'openmoji', 'twemoji'];
const COLOURS: Record<string, string> = { red: '#f00', green: '#0f0', blue: '#00f', sun: '#ff0' };

/** The files of a package, by their names; what is replaced is written as it is. */
export type PackageFiles = Record<'package.json' | 'icons.json' | 'chars.json' | 'info.json', unknown>;

/**
 * The eleven packages below `folder`, made up: four emoji that all draw, each vendor a rectangle of its own height; "seldom", which
 * the five that tell code points draw, and none else; and in the six others an icon that no other has.
 */
export function writeEmojiPackages(
  folder: string,
  change: (set: string, files: PackageFiles) => void = () => {},
): void {
  Object.entries(EMOJI_PACKAGES).forEach(([name, version], v) => {
    const set = name.replace('@iconify-json/', '');
    const coded = CODED.includes(set);
    const drawn = [...Object.keys(COLOURS), coded ? 'seldom' : `of-${set}`];
    const draw = (icon: string) => `<rect width="16" height="${v + 1}" fill="${COLOURS[icon] ?? '#000'}"/>`;
    const files: PackageFiles = {
      'package.json': { name, version },
      'icons.json': { prefix: set, icons: Object.fromEntries(drawn.map((icon) => [icon, { body: draw(icon) }])) },
      'chars.json': coded ? MADE_UP : {},
      'info.json': { name: `Set ${v}`, author: { name: `Author ${v}` }, license: { title: 'MIT', spdx: 'MIT' } },
    };
    change(set, files);
    const home = join(folder, 'node_modules', name);
    mkdirSync(home, { recursive: true });
    for (const [file, value] of Object.entries(files)) {
      writeFileSync(join(home, file), typeof value === 'string' ? value : JSON.stringify(value));
    }
  });
}
