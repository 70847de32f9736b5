import { publishedNames } from './names.js';
import { readTensors } from './read-tensors.js';

/** Columns of the head that a file of weights holds; undefined where it holds none. Errors as `loadWeights`. */
export function headIn(path: string): number | undefined {
  const tensors = readTensors(path);
  const own = tensors.get('embedding/kernel')?.shape[1];
  return own ?? publishedNames(tensors, path).get('embedding.weight')?.shape[0];
}
