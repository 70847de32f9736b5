import { join } from 'node:path';
import { invalid } from '../errors.js';
import { layersOf } from '../models/embedder.js';
import { type Embedder, Ensemble } from '../models/index.js';
import { evaluated } from '../models/norm-sets.js';
import { writeSafetensors } from '../models/safetensors.js';
import { describedBy } from '../models/weights/described-by.js';
import { isDepthwise, torchName, torchShape, toTorch } from '../models/weights/names.js';
import { path as folder, parse } from '../options.js';
import { writeAtomically } from '../write-atomically.js';
import { checkExportable } from './export-layers.js';

/**
 * Writes the weights of each member into the folder `dir` (made when missing) as member-0.safetensors and so on, by PyTorch's names
 * and in its layout: what torchvision's networks, and Cadene's BN-Inception, load; the head is `embedding.weight` and
 * `embedding.bias`. Of two sets of batch normalisations it is the adversarial one, which evaluations work by. Gives the paths.
 *
 * @throws EatDmlError ERR_PATH where such a file is there, ERR_SYSTEM, ERR_ARGUMENT where a member is not described by layers.
 *
 * @example
 * ```ts
 * import { Ensemble, exportWeights, mobilenetV2 } from 'eat-dml';
 *
 * const ensemble = new Ensemble([mobilenetV2({ dimension: 64 }).build([32, 32, 3], 1)]);
 * console.log(await exportWeights(ensemble, 'for-pytorch')); // [ 'for-pytorch/member-0.safetensors' ]
 * ```
 */
export async function exportWeights(ensemble: Ensemble, dir: string): Promise<string[]> {
  if (!(ensemble instanceof Ensemble)) throw invalid('ensemble', 'an Ensemble', ensemble);
  parse(folder, dir, 'dir');
  const layers = ensemble.members.map((_, i) => layersOf(ensemble.members, i));
  const names = layers.map((_, i) => `member-${i}.safetensors`);
  await checkExportable(dir, names);
  const paths = names.map((name) => join(dir, name));
  for (const [i, member] of ensemble.members.entries()) {
    await writeAtomically(paths[i], await fileOf(evaluated(member).weights, layers[i]));
  }
  return paths;
}

async function fileOf(weights: Embedder['weights'], layers: ReturnType<typeof layersOf>): Promise<Uint8Array> {
  const tensors: [string, { shape: number[]; values: Float32Array }][] = [];
  for (const [name, variable] of weights) {
    const { shape } = variable;
    const values = (await variable.data()) as Float32Array;
    const depthwise = isDepthwise(name);
    tensors.push([torchName(name), { shape: torchShape(shape, depthwise), values: toTorch(values, shape, depthwise) }]);
  }
  return writeSafetensors(tensors, { format: 'pt', ...describedBy(layers) });
}
