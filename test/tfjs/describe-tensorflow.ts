import { describe } from 'vitest';
import { backendReport } from '../../src/tfjs/index.js';

const [report] = await backendReport();

/** A block that needs tfjs-node and the custom ops: skipped, and shown as skipped with the reason, where they are not there. */
export const hasTensorflow = report.available && report.detail.endsWith('custom ops');
if (!hasTensorflow) console.log(`skipped: tests on tensorflow (${report.detail})`);
export const describeTensorflow = hasTensorflow ? describe : describe.skip;
