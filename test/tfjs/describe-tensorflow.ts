import { describe } from 'vitest';
import { backendReport } from '../../src/tfjs/index.js';

const [report] = await backendReport();

/** A block that needs tfjs-node and the custom ops: skipped, and shown as skipped with the reason, where they are not there. */
export const hasTensorflow = report.available && report.detail.includes('kernels as custom ops');
if (!hasTensorflow) console.log(`skipped: tests on tensorflow (${report.detail})`);
/** Where the custom ops of this machine run. */
export const customOpsPath = report.detail.endsWith('on the GPU') ? 'custom op, GPU' : 'custom op';
export const describeTensorflow = hasTensorflow ? describe : describe.skip;
