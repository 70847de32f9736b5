import { describe } from 'vitest';
import { backendReport } from '../../src/tfjs/index.js';

const report = await backendReport();

/** The backends of this machine that can be read at once; webgpu, which cannot, has tests of its own. */
export const backends = report.filter(({ name, available }) => available && name !== 'webgpu').map(({ name }) => name);

/** Those that are held against tfjs's own 'cpu'. */
export const otherBackends = backends.filter((name) => name !== 'cpu');

/** A block that needs the addon: skipped, and shown as skipped, where there is none. */
export const describeNative = backends.includes('native') ? describe : describe.skip;
