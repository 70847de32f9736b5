import { afterAll, beforeAll, onTestFinished, vi } from 'vitest';
import type { SanityCheck } from '../../src/evaluation/index.js';
import * as checks from '../../src/evaluation/sanity/checks.js';

const CHECKED: SanityCheck[] = [{ name: 'gradients', passed: true, detail: '0% of images have none' }];

const spied = () => vi.spyOn(checks, 'sanityChecks').mockResolvedValue(CHECKED);

/**
 * To the end of the test its evaluations make no sanity checks, which with tiny images take more of them than all else. For tests that say
 * nothing of the checks, where others of the file or room run them in full. A spy is no replaced module: the file may share its process.
 */
export function passChecks(): void {
  const spy = spied();
  onTestFinished(() => spy.mockRestore());
}

/** {@link passChecks} for a whole file or block. */
export function withoutChecks(): void {
  let spy: ReturnType<typeof spied>;
  beforeAll(() => {
    spy = spied();
  });
  afterAll(() => spy.mockRestore());
}
