/**
 * One kernel's rows of the case table on device 'cuda' (or another), against the double-precision reference, without vitest:
 *   parity KERNEL [--device NAME] [--references FILE] [--first COUNT]
 * EAT_DML_CUDA_VARIANT forces a variant. FILE keeps the references for the next process. --first runs COUNT rows: the table begins
 * with its smallest shapes. A case is named before it runs: whoever ends this process from outside finds in its last line what did not end.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { type DeviceName, devices } from '../../src/kernels/index.js';
import { attackCases } from '../kernels/cases/attacks.js';
import { distanceCases } from '../kernels/cases/distances.js';
import type { ParityCase } from '../kernels/cases/types.js';
import { worstRelative } from '../kernels/support.js';
import { EXIT, losesDevice } from './exit.js';

type Results = Awaited<ReturnType<ParityCase['run']>>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: 'string', default: 'cuda' },
    references: { type: 'string' },
    first: { type: 'string', default: 'Infinity' },
  },
});
const [kernel] = positionals;
const device = devices().find(({ name }) => name === values.device);
const variant = process.env.EAT_DML_CUDA_VARIANT ?? 'chosen by shape';
const what = values.device === 'cuda' ? `${kernel}, variant ${variant}` : `${kernel}, ${values.device}`;
const stored = values.references !== undefined && existsSync(values.references);
const references: Map<string, Results> = stored ? deserialize(readFileSync(values.references!)) : new Map();

/** Plain arrays: what a kernel returns may be a view of more. */
function kept(results: Results): Results {
  return Object.fromEntries(Object.entries(results).map(([name, of]) => [name, Float64Array.from(of)]));
}

async function reference({ kernel, name, run }: ParityCase): Promise<Results> {
  const key = `${kernel}: ${name}`;
  if (!references.has(key)) references.set(key, kept(await run('js')));
  return references.get(key)!;
}

/** What is off by more than its tolerance. */
async function complaints(row: ParityCase, expected: Results): Promise<string[]> {
  const received = await row.run(values.device as DeviceName);
  return Object.entries(expected).flatMap(([result, of]) => {
    const worst = worstRelative(received[result], of, row.floor);
    return worst <= (row.tolerance[result] ?? 0) ? [] : [`${result} is off by ${worst} relative`];
  });
}

function end(word: string, text: string, code: number): never {
  if (values.references) writeFileSync(values.references, serialize(references));
  console.log(`${word} ${what}: ${text}`);
  process.exit(code);
}

// The rows of kernels that a GPU has: those of the others take seconds to be made.
const rows = [...distanceCases, ...attackCases].filter((row) => row.kernel === kernel);
if (rows.length === 0) end('FAIL', `no such kernel in the case table`, EXIT.usage);
if (!device?.available) end('FAIL', device?.detail ?? `there is no device ${values.device}`, EXIT.device);
console.log(`${device.detail}; ${what}`);

let [ran, failed] = [0, 0];
for (const row of rows.slice(0, Number(values.first))) {
  console.log(`case ${what}: ${row.name}`);
  const expected = await reference(row);
  ran++;
  try {
    const wrong = await complaints(row, expected);
    if (wrong.length > 0) failed++;
    for (const text of wrong) console.log(`  FAILED ${text}`);
  } catch (error) {
    const { message } = error as Error;
    if (losesDevice(message)) end('LOST', `at case ${ran} (${row.name}): ${message}; ${failed} failed`, EXIT.device);
    failed++;
    console.log(`  FAILED ${message}`);
  }
}
const counts = `${ran} of ${rows.length} cases, ${failed} failed`;
if (failed > 0 || ran === 0) end('FAIL', counts, EXIT.wrong);
end('PASS', counts, EXIT.fine);
