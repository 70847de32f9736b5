/**
 * What test files import of vitest, made of the packages that vitest itself is made of: vitest cannot travel with the kit, as with vite
 * it takes 48 MB. scripts/gpu-kit.mjs puts it in vitest's place.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import { getCurrentTest } from '@vitest/runner';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from '@vitest/runner';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

const globals = globalThis as unknown as Record<symbol, object>;

export const expect = Object.assign((value: unknown, message?: string) => {
  const assertion = chai.expect(value, message) as unknown as { withTest(test: unknown): unknown };
  const test = getCurrentTest();
  return test ? assertion.withTest(test) : assertion;
}, globals[ASYMMETRIC_MATCHERS_OBJECT]);
setState({ assertionCalls: 0 }, expect as never);
