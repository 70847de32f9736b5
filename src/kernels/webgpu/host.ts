/** What the kernels of this device share on the host's side. */
import type { Gpu } from './run.js';

/** A kernel: reads and fills the arrays of its arguments, as the reference of its name does. */
export type WebgpuKernel<Args> = (args: Args & { checkFinite?: boolean }, gpu: Gpu) => Promise<void>;

/** Plain loops in double precision, for what float32 cannot hold; the event loop gets a turn every 10 ms. */
export async function onHost(slices: Generator<void>, gpu: Gpu): Promise<void> {
  let turn = performance.now();
  for (const _ of slices) {
    if (performance.now() - turn < 10) continue;
    await new Promise((resolve) => setImmediate(resolve));
    gpu.check();
    turn = performance.now();
  }
}
