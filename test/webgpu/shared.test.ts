import { test } from 'vitest';
import { failure } from './adapter.js';

/** What holds on every device: NaN rules, aborts, results of independent libraries, the start of k-means and what k-means promises. */
const FILES = ['bad-input', 'abort', 'goldens', 'kmeans-start', 'kmeans-properties'];

process.env.EAT_DML_TEST_DEVICES = 'webgpu';
if (failure === undefined) for (const file of FILES) await import(`../kernels/${file}.test.ts`);
else test.skip(`skipped: ${failure}`, () => {});
