import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { EatDmlError, invalid } from '../errors.js';
import { type Embedder, Ensemble } from '../models/index.js';
import { writeSafetensors } from '../models/safetensors.js';
import { describedBy } from '../models/weights/described-by.js';
import { isDepthwise, torchName, torchShape, toTorch } from '../models/weights/names.js';
import { path as folder, parse } from '../options.js';
import { writeAtomically } from '../write-atomically.js';

/**
 * Writes the weights of each member into the folder `dir` (made when missing) as member-0.safetensors and so on, by PyTorch's names
 * and in its layout: what torchvision's networks, and Cadene's BN-Inception, load; the head is `embedding.weight` and
 * `embedding.bias`. Gives the paths.
 *
 * @throws EatDmlError ERR_PATH where such a file is there, ERR_SYSTEM, ERR_ARGUMENT where a member is not described by layers.
 */
export async function exportWeights(ensemble: Ensemble, dir: string): Promise<string[]> {
  if (!(ensemble instanceof Ensemble)) throw invalid('ensemble', 'an Ensemble', ensemble);
  parse(folder, dir, 'dir');
  const paths = ensemble.members.map((_, i) => join(dir, `member-${i}.safetensors`));
  for (const [i, path] of paths.entries()) {
    if (!ensemble.members[i].layers) {
      const message = `Expected members that are described by layers but received another in members[${i}].`;
      throw new EatDmlError('ERR_ARGUMENT', message);
    }
    await checkFree(path);
  }
  for (const [i, path] of paths.entries()) await writeAtomically(path, await weightsOf(ensemble.members[i]));
  return paths;
}

async function checkFree(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) return;
  const hint = 'Remove it, or name another folder.';
  throw new EatDmlError('ERR_PATH', `Expected no file ${path} for an export but found one.`, { hint });
}

async function weightsOf({ weights, layers }: Embedder): Promise<Uint8Array> {
  const tensors: [string, { shape: number[]; values: Float32Array }][] = [];
  for (const [name, variable] of weights) {
    const { shape } = variable;
    const values = (await variable.data()) as Float32Array;
    const depthwise = isDepthwise(name);
    tensors.push([torchName(name), { shape: torchShape(shape, depthwise), values: toTorch(values, shape, depthwise) }]);
  }
  return writeSafetensors(tensors, { format: 'pt', ...describedBy(layers!) });
}
