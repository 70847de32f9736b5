import { expect, vi } from 'vitest';

/**
 * As much of jasmine as tfjs-core's tests use: suites and tests are collected, then run by {@link runSuites}, so that the
 * same tests can run on several backends. Matchers are vitest's.
 */

type Body = (done?: unknown) => unknown;

interface Suite {
  name: string;
  suites: Suite[];
  tests: { name: string; body: Body }[];
  beforeAll: Body[];
  beforeEach: Body[];
  afterEach: Body[];
  afterAll: Body[];
}

const newSuite = (name: string): Suite => ({
  name,
  suites: [],
  tests: [],
  beforeAll: [],
  beforeEach: [],
  afterEach: [],
  afterAll: [],
});

let current = newSuite('');

/** Collects what `register` describes into a suite of its own. */
export async function collect(name: string, register: () => unknown): Promise<Suite> {
  const [outer, suite] = [current, newSuite(name)];
  current = suite;
  try {
    await register();
  } finally {
    current = outer;
  }
  return suite;
}

function describe(name: string, register: () => void): void {
  const [outer, suite] = [current, newSuite(name)];
  outer.suites.push(suite);
  current = suite;
  try {
    register();
  } finally {
    current = outer;
  }
}

const hook = (when: 'beforeAll' | 'beforeEach' | 'afterEach' | 'afterAll') => (body: Body) => current[when].push(body);

/** jasmine's spies, which do nothing unless told otherwise, over vitest's. */
function spyOn(object: Record<string, (...args: unknown[]) => unknown>, method: string) {
  const original = object[method];
  const spy = vi.spyOn(object, method).mockImplementation(() => undefined);
  const and = {
    callFake: (fake: () => unknown) => spy.mockImplementation(fake),
    callThrough: () => spy.mockImplementation((...args) => original.apply(object, args)),
    returnValue: (value: unknown) => spy.mockReturnValue(value),
  };
  return Object.assign(spy, { and });
}

const expectAsync = (promise: Promise<unknown>) => ({
  toBeRejectedWithError: (message?: string | RegExp) => expect(promise).rejects.toThrow(message),
});

expect.extend({
  nothing: () => ({ pass: true, message: () => '' }),
  toBeTrue: (received: unknown) => ({ pass: received === true, message: () => `expected ${received} to be true` }),
  toBeFalse: (received: unknown) => ({ pass: received === false, message: () => `expected ${received} to be false` }),
});

/** jasmine's globals, set while `body` runs. */
export async function withJasmine<T>(body: () => Promise<T>): Promise<T> {
  const globals: Record<string, unknown> = {
    describe,
    it: (name: string, test: Body) => current.tests.push({ name, body: test }),
    xit: () => undefined,
    beforeAll: hook('beforeAll'),
    beforeEach: hook('beforeEach'),
    afterEach: hook('afterEach'),
    afterAll: hook('afterAll'),
    expect,
    expectAsync,
    spyOn,
    fail: (message?: string) => {
      throw new Error(message ?? 'failed');
    },
    jasmine: { DEFAULT_TIMEOUT_INTERVAL: 5000 },
  };
  const before = Object.keys(globals).map((name) => [name, Reflect.get(globalThis, name)]);
  Object.assign(globalThis, globals);
  try {
    return await body();
  } finally {
    Object.assign(globalThis, Object.fromEntries(before));
  }
}

/** Runs every test below `suite`; the outcome by full name is undefined, or what was thrown. */
export async function runSuites(suite: Suite, outer: Suite[] = [], outcomes = new Map<string, unknown>()) {
  const path = [...outer, suite];
  const attempt = (bodies: Body[]) => firstFailure(bodies);
  const notStarted = await attempt(suite.beforeAll);
  for (const { name, body } of suite.tests) {
    const before = path.flatMap((s) => s.beforeEach);
    const after = [...path].reverse().flatMap((s) => s.afterEach);
    const failure = notStarted ?? (await attempt([...before, body]));
    const failureAfter = await attempt(after);
    vi.restoreAllMocks();
    outcomes.set(uniqueName(outcomes, [...path.map((s) => s.name), name].join(' > ')), failure ?? failureAfter);
  }
  for (const inner of suite.suites) await runSuites(inner, path, outcomes);
  await attempt(suite.afterAll);
  return outcomes;
}

function uniqueName(outcomes: Map<string, unknown>, name: string): string {
  let unique = name;
  for (let i = 2; outcomes.has(unique); i++) unique = `${name} (${i})`;
  return unique;
}

async function firstFailure(bodies: Body[]): Promise<unknown> {
  try {
    for (const body of bodies) await (body.length > 0 ? callback(body) : body());
    return undefined;
  } catch (error) {
    return error ?? new Error('failed');
  }
}

/** A test that takes `done` is over when it calls it. */
function callback(body: Body): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = Object.assign(() => resolve(), { fail: (reason?: unknown) => reject(reason ?? new Error('failed')) });
    Promise.resolve(body(done)).catch(reject);
  });
}
