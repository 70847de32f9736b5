import { type Inspection, inspect, openData } from '../../data/index.js';
import { printable } from '../../errors.js';
import type { LongWork } from '../../long-work.js';
import { EXIT } from '../exit-codes.js';
import { interruptible } from '../interrupt.js';
import { printResult } from '../options.js';
import { ProgressLine } from '../progress-line.js';

export interface InspectFlags {
  json?: boolean;
  as?: string;
  verify?: boolean;
  skipBroken?: number;
}

/** Names of classes that are printed. */
const SHOWN = 10;

const INTERRUPTED = { what: 'The inspection', kept: 'Nothing of it was kept. Begin again with the same command.' };

/** `eat-dml data inspect PATH`: what an unpacked archive holds, before hours are spent on it. Of faults it ends with 4. */
export async function inspectCommand(path: string, { json, as, verify, skipBroken = 0 }: InspectFlags): Promise<void> {
  const line = new ProgressLine('inspect');
  const result = await interruptible(async (signal) => {
    const work = { signal, onProgress: line.show };
    const found = await inspect(path, { as, verify: verify && skipBroken === 0, ...work });
    if (skipBroken === 0 && (!verify || found.faults.length > 0)) return found;
    return { ...found, ...(await whole(path, found, skipBroken, work)) };
  }, INTERRUPTED).finally(() => line.clear());
  const { layout, images, classes, classNames, splits, faults, faultCount } = result;
  const sides = Object.entries(splits).map(
    ([side, of]) => `  ${side.padEnd(10)} ${of.images} images of ${of.classes} classes`,
  );
  const hash = 'hash' in result ? [`sha256 ${result.hash}`] : [];
  const { leftOut } = result as { leftOut?: readonly string[] };
  const without = leftOut ? [`without ${leftOut.length} broken images`] : [];
  const named = classNames ? [`  classes    ${firstOf(Object.values(classNames))}`] : [];
  const counts = `${layout}: ${images} images of ${classes} classes`;
  const lines = [counts, ...named, ...sides, ...without, ...hash, ...faults, ...moreText(result)];
  printResult(json, { command: 'data inspect', path, ...result }, lines.join('\n'));
  // What --skip-broken left out is no fault of the rest.
  if (faultCount > 0 && skipBroken === 0) process.exitCode = EXIT.input;
}

/** That there are more faults than are told. */
function moreText({ faults, faultCount }: Inspection): string[] {
  return faultCount > faults.length ? [`and ${faultCount - faults.length} more, ${faultCount} faults in all`] : [];
}

/** The first names, and how many there are beside them. */
function firstOf(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return names.slice(0, SHOWN).map(printable).join(', ') + more;
}

/** The hash of all images of which none is broken, and which are left out as they are. */
async function whole(path: string, { layout }: Inspection, skipBroken: number, work: LongWork) {
  const [name] = layout.split('/');
  const { test: all } = await openData(name as 'folder', {
    ...{ root: path, split: 'none' },
    ...(skipBroken > 0 && { skipBroken }),
    ...work,
  });
  const { leftOut } = all!;
  return { ...(leftOut && { leftOut }), hash: await all!.hash(work) };
}
