/** Run as a child with EAT_DML_ISA and EAT_DML_THREADS: prints what ran, which cases differ from the reference, and a hash of
 * each case's bits. */
import { createHash } from 'node:crypto';
import { devices } from '../../src/kernels/index.js';
import { allCases } from './cases/index.js';
import { worstRelative } from './support.js';

const failures: string[] = [];
const bits: Record<string, string> = {};
for (const { kernel, name, run, tolerance, floor } of allCases) {
  const [expected, received] = [await run('js'), await run('cpu')];
  const hash = createHash('sha1');
  for (const [result, values] of Object.entries(expected)) {
    const worst = worstRelative(received[result], values, floor);
    if (!(worst <= (tolerance[result] ?? 0)))
      failures.push(`${kernel}: ${name}: ${result} is off by ${worst} relative`);
    hash.update(new Uint8Array(Float64Array.from(received[result]).buffer));
  }
  bits[`${kernel}: ${name}`] = hash.digest('hex');
}
const { isa, threads } = devices().find((d) => d.name === 'cpu') ?? {};
process.stdout.write(JSON.stringify({ isa, threads, failures, bits }));
