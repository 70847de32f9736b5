import { loadAddon } from '../kernels/load-addon.js';
import { packageVersion } from '../version.js';
import type { Group } from './group.js';
import { checkSame } from './together.js';

/**
 * Throws on every rank where they run other versions, or compute by other instructions: what all of them are to compute alike would
 * differ in its last bits.
 */
export async function checkAlike(group: Group): Promise<void> {
  if (group.size === 1) return;
  const version = packageVersion();
  const { isa } = loadAddon()?.info() ?? { isa: 'no addon' };
  const hint =
    'Install the same versions on every machine, and name one instruction set that all of them have in EAT_DML_ISA.';
  for (const [name, text] of Object.entries({ 'version of eat-dml': version, 'version of Node': process.version }))
    await checkSame(group, name, text, hint);
  await checkSame(group, 'instruction set', isa, hint);
}
