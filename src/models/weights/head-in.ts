import { HEAD, publishedNames } from './names.js';
import { readWeights } from './read-weights.js';

/** Columns of the head that a file of weights holds; undefined where it holds none. Errors as `loadWeights`. */
export function headIn(path: string): number | undefined {
  const { tensors } = readWeights(path);
  const own = tensors.get(`${HEAD}/kernel`)?.shape[1];
  return own ?? publishedNames(tensors, path).get(`${HEAD}.weight`)?.shape[0];
}
