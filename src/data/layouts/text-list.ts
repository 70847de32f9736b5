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

/** Ten times what the largest list of the known archives has. */
const MOST_BYTES = 1 << 26;
const MOST_LINES = 1 << 20;
/** As long as a path may be for Linux. */
const LONGEST_PATH = 4096;

/**
 * The lines of a text file that are not blank; LF or CRLF, whether the last one ends or not.
 *
 * @throws EatDmlError ERR_DATA that names the file when it cannot be read, has more than 64 MiB or a million lines, or is
 * no UTF-8 text.
 */
export async function linesOf(path: string): Promise<Line[]> {
  const text = textIn(await readBounded(path, MOST_BYTES), path);
  const lines: Line[] = [];
  // Not split: there may be as many ends of lines as there are bytes.
  for (let start = 0, number = 1; start < text.length; number++) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? undefined : end).trim();
    start = end < 0 ? text.length : end + 1;
    if (line === '') continue;
    if (lines.push({ number, text: line }) > MOST_LINES) throw tooMany(path);
  }
  return lines;
}

function tooMany(path: string): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected at most ${MOST_LINES} lines but received more in ${path}.`);
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

/** The columns of a line, which are called `names`; between them are blanks, or commas. */
export function columnsOf(path: string, { number, text }: Line, names: string, commas = false): string[] {
  const expected = names.split(' ').length;
  const columns = text.split(commas ? ',' : /\s+/, expected + 1).map((column) => column.trim());
  if (columns.length === expected) return columns;
  const received = `${columns.length > expected ? 'more' : columns.length}: ${text}`;
  throw lineFault(path, number, `${expected} columns (${names})`, received);
}

/** The lines below the header, which must be there. */
export function withoutHeader(path: string, lines: readonly Line[], header: string, onFault: OnFault): readonly Line[] {
  const [first, ...rest] = lines;
  if (first?.text.split(/\s+/, 10).join(' ') === header) return rest;
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
  if (/[\x00-\x1f\\]|^[A-Za-z]:/.test(path) || path.length > LONGEST_PATH) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
