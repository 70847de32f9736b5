import util from 'node:util';
import * as tf from '@tensorflow/tfjs';

/** What is known of tfjs-node-gpu or tfjs-node on this machine. */
export interface TensorflowProbe {
  available: boolean;
  gpu: boolean;
  detail: string;
}

const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** Imports the first of tfjs-node-gpu and tfjs-node that loads; both register the tfjs backend 'tensorflow'. */
export async function probeTensorflow(): Promise<TensorflowProbe> {
  restoreRemovedUtil();
  const failures: string[] = [];
  for (const name of packages) {
    try {
      await import(name);
      const backend = tf.findBackend('tensorflow') as { isUsingGpuDevice?: boolean } | null;
      if (!backend) throw new Error('it loaded, but registered no backend with this copy of @tensorflow/tfjs');
      const gpu = backend.isUsingGpuDevice === true;
      return { available: true, gpu, detail: `${name} on ${gpu ? 'a GPU' : 'the CPU'}` };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const absent = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`);
      failures.push(absent ? `${name} is not installed` : `${name} does not load: ${message.split('\n')[0]}`);
    }
  }
  return { available: false, gpu: false, detail: failures.join('; ') };
}

/** tfjs-node 4.22 calls two functions that Node 23 removed from `util`. */
function restoreRemovedUtil(): void {
  const legacy = util as unknown as Record<string, (value: unknown) => boolean>;
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
}
