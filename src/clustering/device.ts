import { z } from 'zod';
import type { DeviceName } from '../kernels/index.js';

const DEVICES = ['auto', 'cuda', 'webgpu', 'cpu', 'js'] as const satisfies readonly (DeviceName | 'auto')[];

/** What a kernel runs on, as a schema. */
export const device = z.enum(DEVICES).optional();
