/** How a process of the kit ends, as test/native/gpu_smoke does. */
export const EXIT = { fine: 0, wrong: 1, usage: 2, device: 3 };

/** Whether a message is CUDA's of an error that every later call of this process would meet again. */
export function losesDevice(message: string): boolean {
  return /CUDA: cuda/.test(message) && !/MemoryAllocation/.test(message);
}
