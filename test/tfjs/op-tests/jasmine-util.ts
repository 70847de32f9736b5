import * as tf from '@tensorflow/tfjs';

/** In the place of tfjs-core's own jasmine_util: the same names, over one backend that {@link onBackend} chooses. */

interface Constraints {
  flags?: Record<string, unknown>;
  predicate?: (environment: { isDataSync: boolean; name: string; backendName: string }) => boolean;
}

let backendName = 'cpu';

export function onBackend(name: string): void {
  backendName = name;
}

export const NODE_ENVS: Constraints = { predicate: () => true };
export const CHROME_ENVS: Constraints = { flags: { IS_CHROME: true } };
export const BROWSER_ENVS: Constraints = { predicate: () => false };
export const SYNC_BACKEND_ENVS: Constraints = { predicate: ({ isDataSync }) => isDataSync };
export const HAS_WORKER: Constraints = { predicate: () => false };
export const HAS_NODE_WORKER: Constraints = { predicate: () => false };
export const ALL_ENVS: Constraints = {};

function applies({ flags = {}, predicate = () => true }: Constraints): boolean {
  const wanted = Object.entries(flags).every(([name, value]) => tf.env().get(name) === value);
  return wanted && predicate({ isDataSync: true, name: backendName, backendName });
}

export function describeWithFlags(name: string, constraints: Constraints | undefined, tests: (env: object) => void) {
  tf.env().set('IS_TEST', true);
  if (!applies(constraints ?? {})) return;
  const backend = backendName;
  const { describe, beforeAll, beforeEach, afterEach, afterAll } = globalThis as unknown as Record<
    string,
    CallableFunction
  >;
  describe(name, () => {
    beforeAll(async () => {
      tf.engine().reset();
      tf.env().set('IS_TEST', true);
      await tf.setBackend(backend);
    });
    beforeEach(() => tf.engine().startScope());
    afterEach(() => {
      tf.engine().endScope();
      tf.disposeVariables();
    });
    afterAll(() => tf.engine().reset());
    tests({ name: backend, backendName: backend, isDataSync: true });
  });
}
