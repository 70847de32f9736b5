import { test } from 'vitest';
import { simtPath } from './addon.js';

/** What holds on every device, here on the emulator: NaN rules, cancellation, results of independent libraries, certified labels. */
const FILES = ['bad-input', 'abort', 'goldens', 'cuda-variants', 'kmeans-start', 'kmeans-properties', 'unchecked'];

process.env.EAT_DML_TEST_DEVICES = 'cuda';
if (simtPath) for (const file of FILES) await import(`../kernels/${file}.test.ts`);
else test.skip('no C++ compiler', () => {});
