/**
 * The fuzz as a program of its own, for scripts/test-fuzz.mjs: makes the calls that --seed, --calls and --from name, and prints
 * what it found as JSON. Before each call its description goes to the file --progress: it is the last word of a process that dies.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { devices } from '../../src/kernels/index.js';
import { loadAttempts } from '../../src/kernels/load-addon.js';
import { machineLimits } from '../../src/kernels/machine-limits.js';
import { type Failure, fuzz } from './fuzz.js';
import { startScribbler } from './scribbler.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    calls: { type: 'string', default: '1000' },
    from: { type: 'string', default: '0' },
    progress: { type: 'string' },
    measure: { type: 'boolean', default: false },
  },
});

const file = values.progress === undefined ? undefined : openSync(values.progress, 'w');
const onCall = (description: string) => {
  if (file !== undefined) writeSync(file, description.slice(0, 400).padEnd(400), 0);
};

const rejections: Failure[] = [];
process.on('unhandledRejection', (reason) => {
  rejections.push({ call: 'some call', what: `unhandled: ${reason instanceof Error ? reason.stack : reason}` });
});

const { available } = devices().find(({ name }) => name === 'cpu')!;
if (values.measure) machineLimits();
const scribbler = startScribbler();
const report = await fuzz({
  seed: Number(values.seed),
  calls: Number(values.calls),
  from: Number(values.from),
  devices: available ? ['cpu', 'cpu', 'js'] : ['js'],
  scribbler,
  collect: globalThis.gc,
  onCall,
});
// What was rejected last is told at the end of its turn.
await new Promise((resolve) => setTimeout(resolve, 50));
await scribbler.end();

const addon = loadAttempts().find(({ found, failure }) => found && !failure)?.path;
const sanitized = process.platform === 'linux' && readFileSync('/proc/self/maps', 'utf8').includes('libasan');
process.stdout.write(JSON.stringify({ ...report, rejections, addon, sanitized }));
