import { chooseBackend } from '../../src/tfjs/index.js';

/** The tfjs backends that are there on this machine; 'cpu' always. The others are printed as skipped. */
export async function availableBackends(): Promise<string[]> {
  const found: string[] = [];
  for (const backend of ['cpu', 'wasm', 'native', 'tensorflow'] as const) {
    try {
      found.push((await chooseBackend({ backend })).name);
    } catch (error) {
      console.log(`skipped: backend ${backend} (${(error as Error).message})`);
    }
  }
  return found;
}
