/**
 * Run as a child with EAT_DML_ISA and EAT_DML_THREADS: prints what ran, which cases differ from the reference, and a hash of each
 * case's bits. Its arguments: a file that keeps the references for the next child, and `few` where a few of the cases do.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { devices } from '../../src/kernels/index.js';
import { fewOf, LONG } from '../long.js';
import { allCases, someOf } from './cases/index.js';
import type { ParityCase } from './cases/types.js';
import { worstRelative } from './support.js';

type Results = Awaited<ReturnType<ParityCase['run']>>;

/** Arrays of their own: what a kernel returns may be a view of more. */
const plain = (results: Results): Results =>
  Object.fromEntries(Object.entries(results).map(([name, of]) => [name, Float64Array.from(of)]));

const file = process.argv[2];
const few = process.argv[3] === 'few';
const known = existsSync(file);
const references: Map<string, Results> = known && !few ? deserialize(readFileSync(file)) : new Map();
const failures: string[] = [];
const bits: Record<string, string> = {};
/** Most of the seconds are references of these; in the short form parity.test.ts alone has them, on the set that the processor takes. */
const SLOW = /^kmeans: (pruned|more than 1000 clusters)|^convReluStack\w*: (1x60x61x8|7x28x28x1)/;
const cases = someOf(allCases).filter(({ kernel, name }) => LONG || !SLOW.test(`${kernel}: ${name}`));
for (const { kernel, name, run, tolerance, floor } of few ? fewOf(cases, 11) : cases) {
  const key = `${kernel}: ${name}`;
  const expected = references.get(key) ?? plain(await run('js'));
  references.set(key, expected);
  const received = await run('cpu');
  const hash = createHash('sha1');
  for (const [result, values] of Object.entries(expected)) {
    const worst = worstRelative(received[result], values, floor);
    if (!(worst <= (tolerance[result] ?? 0))) failures.push(`${key}: ${result} is off by ${worst} relative`);
    hash.update(new Uint8Array(Float64Array.from(received[result]).buffer));
  }
  bits[key] = hash.digest('hex');
}
if (!known && !few) writeFileSync(file, serialize(references));
const { isa, threads } = devices().find((d) => d.name === 'cpu') ?? {};
process.stdout.write(JSON.stringify({ isa, threads, failures, bits }));
