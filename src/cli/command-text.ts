import { radiusText } from '../radius-text.js';
import { radius } from './options.js';

/** Flags that say where the result goes and how it is told, not what it is. */
const OF_OUTPUT = new Set(['json', 'out', 'html', 'report', 'points', 'profile', 'perClass', 'distributed']);

/** The command that gives the same figures again, as a shell takes it. */
export function commandText(command: string, argument: string | undefined, flags: object): string {
  const words = Object.entries(flags).flatMap(([key, value]) => {
    if (OF_OUTPUT.has(key) || value === undefined || value === false) return [];
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [flag] : [flag, textOf(key, value)];
  });
  const given = argument === undefined ? [] : [argument];
  return ['eat-dml', command, ...given, ...words].map(quoted).join(' ');
}

/** A flag's value as it may be given again. */
function textOf(key: string, value: unknown): string {
  const radii = key === 'epsilon' || key === 'epsilons' ? [value].flat() : [];
  return radii.length > 0 ? radii.map((each) => exactText(Number(each))).join() : String(value);
}

/** A radius as people write it, where that is read as the same number. */
function exactText(epsilon: number): string {
  const text = radiusText(epsilon);
  return radius(text) === epsilon ? text : String(epsilon);
}

/** A word in quotes where a shell would read more than its letters. */
function quoted(word: string): string {
  return /^[\w./:,=@%+-]+$/.test(word) ? word : inQuotes(word);
}

/** In single quotes, as every shell reads them. */
export function inQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
