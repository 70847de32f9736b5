import { devices } from '../kernels/index.js';

/** What kernels run on with device `auto`: "cpu: native addon, avx2, 2 threads", or a GPU and what its small calls run on. */
export function kernelDevice(): string {
  const [first, ...others] = devices().filter(({ available, byNameOnly }) => available && !byNameOnly);
  const text = `${first.name}: ${first.detail}`;
  const onGpu = first.name === 'cuda' || first.name === 'webgpu';
  return onGpu ? `${text} (${others[0].name}: ${others[0].detail})` : text;
}
