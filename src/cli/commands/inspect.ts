import { inspect, openData } from '../../data/index.js';
import { interruptible } from '../interrupt.js';
import { printResult } from '../options.js';

export interface InspectFlags {
  json?: boolean;
  as?: string;
  verify?: boolean;
}

/** `eat-dml data inspect PATH`: what an unpacked archive holds, before hours are spent on it. */
export async function inspectCommand(path: string, { json, as, verify }: InspectFlags): Promise<void> {
  const result = await interruptible(async (signal) => {
    const found = await inspect(path, { as, signal });
    if (!verify || found.faults.length > 0) return found;
    // Every file is read.
    const [name] = found.layout.split('/');
    const { test: all } = await openData(name as 'folder', { root: path, split: 'none' });
    return { ...found, hash: await all!.hash({ signal }) };
  });
  const { layout, images, classes, splits, faults } = result;
  const sides = Object.entries(splits).map(
    ([side, of]) => `  ${side.padEnd(10)} ${of.images} images of ${of.classes} classes`,
  );
  const hash = 'hash' in result ? [`sha256 ${result.hash}`] : [];
  const lines = [`${layout}: ${images} images of ${classes} classes`, ...sides, ...hash, ...faults];
  printResult(json, { command: 'data inspect', path, ...result }, lines.join('\n'));
}
