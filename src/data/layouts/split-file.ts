import type { ClassFolder } from './class-folders.js';
import { eachLine, lineFault, linesOf, type OnFault } from './text-list.js';

/** What a side may be called. */
export const SIDES: readonly string[] = ['train', 'validation', 'test', 'query', 'gallery'];

/**
 * The sides that a split file gives: each line has a class folder or an image (relative to the root), blanks or a comma, and
 * the side. A name may have blanks in it.
 *
 * @returns the side of an image of a class; undefined where the file has neither.
 * @throws EatDmlError ERR_DATA that names the file and the line.
 */
export async function sidesInFile(
  path: string,
  folders: readonly ClassFolder[],
  onFault: OnFault,
): Promise<(name: string, file: string) => string | undefined> {
  const known = new Map<string, string | undefined>();
  for (const { name, files } of folders) {
    known.set(name, undefined);
    for (const file of files) known.set(file, name);
  }
  const sides = new Map<string, { side: string; number: number }>();
  eachLine(await linesOf(path), onFault, ({ number, text }) => {
    const [what, side] = partsOf(text);
    if (!side) throw lineFault(path, number, `a class folder or an image, and one of ${SIDES.join(', ')},`, text);
    if (!known.has(what)) throw lineFault(path, number, 'a class folder or an image that there is', what);
    if (sides.has(what)) throw lineFault(path, number, 'each class folder or image once', `${what} again`);
    sides.set(what, { side, number });
  });
  for (const [what, { number }] of sides) {
    const name = known.get(what);
    // Which of the two was meant?
    if (name === undefined || !sides.has(name)) continue;
    onFault(lineFault(path, number, `no image of ${name}, which has a line,`, what));
  }
  return (name, file) => (sides.get(file) ?? sides.get(name))?.side;
}

/** What a line names, and the side, which is the last word. By hand: an expression would go over many blanks many times. */
function partsOf(text: string): [what: string, side: string | undefined] {
  const side = SIDES.find((side) => text.endsWith(side));
  const before = side ? text.slice(0, -side.length) : text;
  const what = before.trimEnd();
  const name = what.endsWith(',') ? what.slice(0, -1).trimEnd() : what;
  return [name, name.length < before.length ? side : undefined];
}
