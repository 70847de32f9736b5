import { describe, EatDmlError } from '../../errors.js';
import { readBounded } from '../read-bounded.js';

/** One line of a list that is not blank. */
export interface Line {
  /** Of its file; the first is 1. */
  number: number;
  /** Without blanks at its ends. */
  text: string;
}

/** What is told of a fault; where it returns, the faulty line is left out. */
export type OnFault = (fault: EatDmlError) => void;

/** Twenty times the largest list of the known archives. */
const MOST = 1 << 27;

/**
 * The lines of a text file that are not blank; LF or CRLF, whether the last one ends or not.
 *
 * @throws EatDmlError ERR_DATA that names the file when it cannot be read, is larger than 128 MiB, or is no UTF-8 text.
 */
export async function linesOf(path: string): Promise<Line[]> {
  const text = textIn(await readBounded(path, MOST), path);
  return text.split('\n').flatMap((line, i) => {
    const trimmed = line.trim();
    return trimmed === '' ? [] : [{ number: i + 1, text: trimmed }];
  });
}

function textIn(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EatDmlError('ERR_DATA', `Expected UTF-8 text but received other bytes in ${path}.`, { cause });
  }
}

/** What `make` gives of each line; a fault that it throws goes to `onFault`, and its line is left out. */
export function eachLine<T>(lines: readonly Line[], onFault: OnFault, make: (line: Line) => T): T[] {
  const made: T[] = [];
  for (const line of lines) {
    try {
      made.push(make(line));
    } catch (error) {
      if (!(error instanceof EatDmlError)) throw error;
      onFault(error);
    }
  }
  return made;
}

/** The fault of a line of a list. */
export function lineFault(path: string, line: number, expected: string, received: unknown): EatDmlError {
  const shown = describe(received);
  return new EatDmlError('ERR_DATA', `Expected ${expected} but received ${shown} in ${path}, line ${line}.`);
}

/** The columns of a line, which are called `names`; between them are blanks, or what `separator` says. */
export function columnsOf(path: string, { number, text }: Line, names: string, separator: RegExp = /\s+/): string[] {
  const columns = text.split(separator);
  const expected = names.split(' ').length;
  if (columns.length === expected) return columns;
  throw lineFault(path, number, `${expected} columns (${names})`, `${columns.length}: ${text}`);
}

/** The lines below the header, which must be there. */
export function withoutHeader(path: string, lines: readonly Line[], header: string, onFault: OnFault): readonly Line[] {
  const [first, ...rest] = lines;
  if (first?.text.split(/\s+/).join(' ') === header) return rest;
  onFault(lineFault(path, first?.number ?? 1, `the header "${header}"`, first?.text ?? ''));
  return lines;
}

/** An integer in [least, most], zeros before it or not; `what` names it in the fault. */
export function integerIn(
  path: string,
  line: number,
  what: string,
  text: string,
  { least = 1, most = 2 ** 31 - 1 } = {},
): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === 2 ** 31 - 1 ? `an integer >= ${least}` : `an integer from ${least} to ${most}`;
  throw lineFault(path, line, `${range} for ${what}`, text);
}

/** What {@link isInside} asks for. */
export const IMAGE_PATH = "the path of an image inside of the archive ('/' between its folders)";

/**
 * The path of an image, as a list has it; refused where it is none inside of the archive, or could be none on another
 * system.
 */
export function pathIn(path: string, line: number, text: string): string {
  if (isInside(text)) return text;
  throw lineFault(path, line, IMAGE_PATH, text);
}

/** Whether a relative path stays below where it begins. */
export function isInside(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a path with one is what this is to find.
  if (/[\x00-\x1f\\]|^[A-Za-z]:/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
