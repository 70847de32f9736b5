import type { IconSet } from './emoji-packages.js';

/** Drawings that an emoji must have to be a class. */
const FEWEST = 8;

/** One vendor's drawing of one emoji. */
export interface Drawing<Set> {
  /** Of the emoji, in {@link EmojiClasses.codes}. */
  label: number;
  set: Set;
  /** Name of the icon in the set. */
  icon: string;
}

export interface EmojiClasses<Set> {
  /** The code points of each class, ascending as text. */
  codes: string[];
  /** Class by class, each in the order of the sets. */
  drawings: Drawing<Set>[];
}

/**
 * The emoji that are classes, and their drawings. Only some sets tell the code points of their icons; an emoji is a class when
 * all of those draw it, and at least {@link FEWEST} sets in all. The other sets have nothing but names: an icon of theirs is the
 * emoji that the first sets call so.
 */
export function emojiClasses<Set extends Pick<IconSet, 'codes' | 'icons'>>(sets: readonly Set[]): EmojiClasses<Set> {
  const coded = sets.filter(({ codes }) => codes.size > 0);
  const common = [...(coded[0]?.codes.keys() ?? [])].filter((code) => coded.every((set) => drawnIn(set, code)));
  const byName = codesByName(coded, common);
  const icons = sets.map((set) => (set.codes.size > 0 ? set.codes : iconsByCode(set, byName)));
  const codes = common.filter((code) => icons.filter((own) => own.has(code)).length >= FEWEST).sort();
  const drawings = codes.flatMap((code, label) =>
    sets.flatMap((set, s) => {
      const icon = icons[s].get(code);
      return icon === undefined ? [] : [{ label, set, icon }];
    }),
  );
  return { codes, drawings };
}

function drawnIn({ codes, icons }: Pick<IconSet, 'codes' | 'icons'>, code: string): boolean {
  const icon = codes.get(code);
  return icon !== undefined && icons.has(icon);
}

/** The emoji by each name that any of the sets has for it; a name for two of them says nothing, and is left out. */
function codesByName(sets: readonly Pick<IconSet, 'codes'>[], codes: readonly string[]): Map<string, string> {
  const byName = new Map<string, string>();
  const unclear = new Set<string>();
  for (const set of sets) {
    for (const code of codes) {
      const name = set.codes.get(code)!;
      if ((byName.get(name) ?? code) !== code) unclear.add(name);
      byName.set(name, code);
    }
  }
  for (const name of unclear) byName.delete(name);
  return byName;
}

/** The first icon of each emoji by its name. */
function iconsByCode({ icons }: Pick<IconSet, 'icons'>, byName: ReadonlyMap<string, string>): Map<string, string> {
  const byCode = new Map<string, string>();
  for (const name of icons.keys()) {
    const code = byName.get(name);
    if (code !== undefined && !byCode.has(code)) byCode.set(code, name);
  }
  return byCode;
}
