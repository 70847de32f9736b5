import { datasetFromArrays } from '../../data/index.js';
import { EatDmlError } from '../../errors.js';
import { convEmbedder } from '../../models/index.js';
import { chooseBackend, tensorKernelCalls } from '../../tfjs/index.js';
import { at, train } from '../../training/index.js';

export interface TensorflowCheck {
  /** Package, version and devices. */
  detail: string;
  /** Of the training step. */
  loss: number;
  /** How its attack steps ran. */
  ops: string;
}

/** One adversarial training step of a tiny network on the backend `tensorflow`; throws where anything in it fails. */
export async function checkTensorflow(): Promise<TensorflowCheck> {
  const { reason } = await chooseBackend({ backend: 'tensorflow' });
  const images = Uint8Array.from({ length: 8 * 64 }, (_, i) => (i * 37) % 256);
  const labels = Int32Array.from({ length: 8 }, (_, i) => i % 2);
  const trained = await train({
    data: datasetFromArrays({ name: 'check', images, labels, shape: [8, 8, 1] }),
    model: convEmbedder({ dimension: 4, width: 4 }),
    method: at({ attack: { epsilon: 0.1, steps: 2 } }),
    epochs: 1,
    batch: { size: 8 },
    backend: 'tensorflow',
  });
  const [loss] = trained.history.losses;
  trained.dispose();
  if (!Number.isFinite(loss)) throw new EatDmlError('ERR_BACKEND', `Expected a finite loss but it was ${loss}.`);
  const ops = tensorKernelCalls().map(({ path }) => path);
  return { detail: reason.replace(/^asked for; /, ''), loss, ops: [...new Set(ops)].join(', ') };
}
