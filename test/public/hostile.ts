import { rmSync } from 'node:fs';
import { EatDmlError } from '../../src/errors.js';
import { randomStream } from '../../src/random.js';
import { LONG } from '../long.js';

/** What nobody means to pass. */
export const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  Number.NaN,
  -1,
  0.5,
  1e9,
  10n,
  '',
  'x',
  true,
  Symbol('s'),
  {},
  [],
  [null],
  [{}],
  [1n],
  'linf',
  { length: 3 },
  { epsilon: 8 },
  { aborted: false },
  () => 1,
  new Map(),
  new Date(0),
  new Float32Array(3),
  new Int32Array(0),
  Object.create(null),
];

/** How many calls have several things wrong with them at once. */
const MIXED = 25;

/** The arguments with one of them, or one key of one of them, replaced or misspelt; then with several of them. */
export function* hostileCalls(args: readonly unknown[]): Generator<unknown[]> {
  yield [];
  yield args.map(() => null);
  for (const [i, arg] of args.entries()) {
    const replaced = (value: unknown) => args.map((given, at) => (at === i ? value : given));
    for (const value of HOSTILE) yield replaced(value);
    if (!isPlain(arg)) continue;
    for (const [k, key] of Object.keys(arg).entries()) {
      // In the short form a key has every other of them, and the next key the rest.
      const given = HOSTILE.filter((_, v) => LONG || (v + k) % 2 === 0);
      for (const value of given) yield replaced({ ...arg, [key]: value });
      const { [key]: value, ...others } = arg;
      yield replaced(others);
      yield replaced({ ...others, [`${key.slice(0, -1)}_`]: value });
    }
  }
  const random = randomStream(5, 'hostile');
  const maybe = (given: unknown) => (random.uniform() < 0.3 ? HOSTILE[random.integer(HOSTILE.length)] : given);
  for (let i = 0; i < MIXED; i++) {
    yield args.map((arg) => {
      if (!isPlain(arg)) return maybe(arg);
      return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, maybe(value)]));
    });
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** What went wrong but for an error of this package's, of which nothing is wrong. */
export async function faultOf(call: () => unknown): Promise<string | undefined> {
  try {
    const result = await call();
    if (typeof (result as { dispose?: unknown } | undefined)?.dispose === 'function') {
      (result as { dispose(): void }).dispose();
    }
    return undefined;
  } catch (error) {
    const oneSentence = error instanceof EatDmlError && /^[A-Z].*[.?]$/s.test(error.message);
    return oneSentence
      ? undefined
      : String((error as Error)?.stack ?? error)
          .split('\n')
          .slice(0, 4)
          .join(' | ');
  }
}

/** Stands for no options, whatever it is. */
const isNothing = (value: unknown) =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/** What each hostile call of `run` ended in but success or an error of this package's. */
export async function faultsOf(
  run: (...args: never[]) => unknown,
  args: readonly unknown[],
  dear = -1,
): Promise<string[]> {
  const faults = new Map<string, unknown[]>();
  for (const call of hostileCalls(args)) {
    if (dear >= 0 && isNothing(call[dear])) continue;
    for (const path of HOSTILE.filter((value) => typeof value === 'string' && value !== '')) {
      rmSync(path as string, { recursive: true, force: true });
    }
    const fault = await faultOf(() => run(...(call as never[])));
    if (fault !== undefined && !faults.has(fault)) faults.set(fault, call);
  }
  return [...faults.keys()];
}
