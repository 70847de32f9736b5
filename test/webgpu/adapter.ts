import { describe } from 'vitest';
import { probeWebgpu } from '../../src/kernels/webgpu/probe.js';

/** A driver in software does: on Linux, VK_ICD_FILENAMES names one (docs/webgpu.md). */
export const { failure, software } = probeWebgpu();

/** A block that needs an adapter: skipped, and shown as skipped with the reason, where there is none. */
export const describeWebgpu = (name: string, body: () => void) =>
  failure === undefined ? describe(name, body) : describe.skip(`${name} (skipped: ${failure})`, body);
