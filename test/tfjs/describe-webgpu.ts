import { describe } from 'vitest';
import { probeWebgpu } from '../../src/kernels/webgpu/probe.js';
import { probeWebgpuBackend } from '../../src/tfjs/webgpu/probe.js';

const { available, detail } = await probeWebgpuBackend();

/** A block that needs tfjs on WebGPU: skipped, and shown as skipped with the reason, where it is not there. */
export const describeWebgpu = available ? describe : describe.skip;
if (!available) console.log(`skipped: tests on webgpu (${detail})`);

/** A graphics card: what takes minutes in software is run. */
export const onCard = available && probeWebgpu().software === false;
