import { devices } from '../kernels/index.js';

/** What attack steps, and every kernel on device `auto`, run on: "cpu: native addon, avx2, 2 threads". */
export function kernelDevice(): string {
  const { name, detail } = devices().find(({ available, byNameOnly }) => available && !byNameOnly)!;
  return `${name}: ${detail}`;
}
