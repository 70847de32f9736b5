/** Run as a child under compute-sanitizer: the parity table's small cases on device cuda; fails where one is off. */
import { createRequire } from 'node:module';
import { cudaAttempts } from '../../src/kernels/load-addon.js';
import { allCases } from '../kernels/cases/index.js';
import { worstRelative } from '../kernels/support.js';

const SMALL = 20_000; // values in all results
const path = cudaAttempts().find(({ failure }) => failure === undefined)?.path;
const kernels = path ? Object.keys(createRequire(import.meta.url)(path)) : [];
let [ran, failed] = [0, 0];
for (const { kernel, name, run, tolerance, floor } of allCases) {
  if (!kernels.includes(kernel) || /pruned|1000 clusters|many chunks/.test(name)) continue;
  const expected = await run('js');
  if (Object.values(expected).reduce((sum, { length }) => sum + length, 0) > SMALL) continue;
  const received = await run('cuda');
  ran++;
  for (const [result, values] of Object.entries(expected)) {
    const worst = worstRelative(received[result], values, floor);
    if (worst <= (tolerance[result] ?? 0)) continue;
    console.error(`${kernel}: ${name}: ${result} is off by ${worst} relative`);
    failed++;
  }
}
console.log(`${ran} cases, ${failed} failed`);
process.exitCode = failed > 0 || ran === 0 ? 1 : 0;
