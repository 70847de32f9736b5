import type { DeviceName } from '../../src/kernels/index.js';
import { ResidentMatrix } from '../../src/kernels/resident-matrix.js';
import { harmByCallback } from './callbacks.js';
import { type Draw, drawFrom } from './draw.js';
import { abortMeanwhile, changeMeanwhile, resultBuffers } from './meanwhile.js';
import { mutate } from './mutations/index.js';
import { type Meaning, weakest } from './mutations/mutation.js';
import { type Expected, fault, type Outcome } from './outcome.js';
import type { Scribbler } from './scribbler.js';
import { cloned, contentOf, isTyped, slotsOf } from './slots.js';
import { type Target, targets } from './targets.js';

export interface FuzzOptions {
  seed: number;
  calls: number;
  /** The first call's number (default 0): a call depends on the seed and its number alone. */
  from?: number;
  devices: readonly DeviceName[];
  /** Memory that another thread writes to. */
  scribbler?: Scribbler;
  /** Frees what nobody holds any more; called now and then, also while calls run. */
  collect?: () => void;
  /** Told of each call before it begins. */
  onCall?: (description: string) => void;
}

/** One call that did what it must not. */
export interface Failure {
  call: string;
  what: string;
}

export interface FuzzReport {
  calls: number;
  /** Calls that gave a result, and those that were refused. */
  returned: number;
  refused: number;
  failures: Failure[];
}

/** How many Promise calls run at once, at most. */
const IN_FLIGHT = 8;

/** Makes hostile calls of every kernel, some of them at once, and says which did what they must not. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { calls: 0, returned: 0, refused: 0, failures: [] };
  const running = new Set<Promise<void>>();
  const { from = 0, calls } = options;
  for (let number = from; number < from + calls; number++) {
    const call = prepare(number, options);
    options.onCall?.(call.said.join('; '));
    report.calls++;
    if (number % 200 === 199) options.collect?.();
    const settled = begin(call).then((outcome) => note(call, outcome, report));
    running.add(settled);
    settled.finally(() => running.delete(settled));
    if (call.sync) await settled;
    while (running.size >= IN_FLIGHT) await Promise.race(running);
  }
  await Promise.all(running);
  return report;
}

interface Call {
  /** What it is, and what is done to it. */
  said: string[];
  args: unknown[];
  sync: boolean;
  expected: Expected;
  /** Called when a Promise call has begun. */
  after?: () => void;
}

function prepare(number: number, { seed, devices, scribbler }: FuzzOptions): Call {
  const draw = drawFrom(seed, 'fuzz', number);
  const target = draw.pick(targets);
  const sync = !target.promise || draw.chance(0.5);
  const device = draw.pick(devices);
  const args = target.generate(draw);
  const options = args[target.parameters.length] as Record<string, unknown> | undefined;
  if (options && target.anyDevice) options.device = device;
  const given = cloned(args);
  const said = [`${number}: ${target.name}${sync ? ' at once' : ''}${target.anyDevice ? ` on ${device}` : ''}`];
  const meanings: Meaning[] = [];
  if (target.name === 'kmeans' && draw.chance(0.4)) {
    const harm = harmByCallback(args, draw);
    meanings.push(harm.meaning);
    said.push(harm.name);
  }
  const abortable = !sync && draw.chance(0.2);
  if (abortable) said.push(abortMeanwhile(options!, draw));
  if (scribbler && draw.chance(0.05)) {
    meanings.push('any');
    said.push(scribbled(args, scribbler, draw));
  }
  const results = resultBuffers(args);
  const mutated = mutate(args, draw.pick([0, 1, 1, 1, 1, 2, 3]), draw);
  meanings.push(...mutated.meanings);
  said.push(...mutated.names);
  const meaning = weakest(meanings);
  const expected = { target, meaning, abortable, result: () => expectedResult(target, given) };
  const call: Call = { said, args, sync, expected };
  if (!sync && draw.chance(0.5))
    call.after = () => void said.push(changeMeanwhile(args, [...results, ...resultBuffers(args)], draw));
  return call;
}

function expectedResult(target: Target, given: unknown[]): unknown {
  const args = cloned(given);
  const options = args[target.parameters.length] as Record<string, unknown> | undefined;
  if (options) delete options.onIteration;
  return readable(target.sync(...args));
}

/** Puts one of the arrays into memory that another thread is writing to. */
function scribbled(args: unknown[], scribbler: Scribbler, draw: Draw): string {
  const slots = slotsOf(args).filter((slot) => isTyped(contentOf(slot)) && !Object.isFrozen(slot.holder));
  if (slots.length === 0) return 'nothing to scribble on';
  const slot = draw.pick(slots);
  const array = contentOf(slot) as Float32Array;
  if (array.byteLength > scribbler.bytes || array.constructor === Object) return 'too large to scribble on';
  const kind = array.constructor as new (memory: SharedArrayBuffer, offset: number, length: number) => Float32Array;
  slot.holder[slot.key] = new kind(scribbler.memory, 0, array.length);
  scribbler.scribble();
  return `${slot.path.join('.')}: another thread writes there`;
}

async function begin({ args, sync, expected: { target }, after }: Call): Promise<Outcome> {
  try {
    if (sync) return { value: readable(target.sync(...args)) };
    const running = target.promise!(...args);
    after?.();
    return { value: readable(await running) };
  } catch (error) {
    return { error };
  }
}

/** The result with the values that stand behind it. */
function readable(value: unknown): unknown {
  if (!ResidentMatrix.is(value)) return value;
  const { rows, cols, batch, data } = value;
  value.dispose();
  return { rows, cols, batch, data };
}

function note({ said, expected }: Call, outcome: Outcome, report: FuzzReport): void {
  if ('error' in outcome) report.refused++;
  else report.returned++;
  const what = fault(outcome, expected);
  if (what !== undefined) report.failures.push({ call: said.join('; '), what });
}
