/** Run as a child with EAT_SIMT_MEMORY: prints a hash of each result, and what a step over its own input leaves when it throws. */
import { createHash } from 'node:crypto';
import { attackStep, attackStepSync, type Norm, projectPerturbation } from '../../src/kernels/index.js';
import { images } from '../kernels/cases/attacks.js';
import { normalMatrix } from '../kernels/support.js';

const [rows, cols] = [90, 201];
const origin = images(rows, cols);
const current = images(rows, cols, 6);
const gradient = normalMatrix(rows, cols);
const hash = (data: Float32Array) => createHash('sha1').update(new Uint8Array(data.buffer)).digest('hex');

const out: Record<string, string> = {};
for (const norm of ['linf', 'l2', 'l1'] as Norm[]) {
  const step = { origin, current, gradient, norm, epsilon: 0.1, stepSize: 0.03, device: 'cuda' } as const;
  out[`${norm} step`] = hash((await attackStep({ ...step, box: [0, 1] })).data);
  const own = current.data.slice();
  attackStepSync({ ...step, box: [0, 1], current: { ...current, data: own }, out: own });
  out[`${norm} step over its input`] = hash(own);
  const projected = await projectPerturbation(gradient, { norm, epsilon: 0.4, around: origin, device: 'cuda' });
  out[`${norm} projection`] = hash(projected.data);

  const kept = current.data.slice();
  const spoiled = { ...gradient, data: gradient.data.slice() };
  spoiled.data[(rows - 1) * cols] = Number.NaN;
  const refused = { ...step, current: { ...current, data: kept }, gradient: spoiled, out: kept };
  try {
    attackStepSync(refused); // the Promise form works on copies
    out[`${norm} refused`] = 'not refused';
  } catch (error) {
    out[`${norm} refused`] = `${(error as Error).message} ${hash(kept) === hash(current.data)}`;
  }
}
process.stdout.write(JSON.stringify(out));
