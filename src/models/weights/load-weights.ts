import { EatDmlError } from '../../errors.js';
import type { Layer } from '../layers.js';
import type { VariableSpec } from '../survey.js';
import { describedBy } from './described-by.js';
import { fromTorch, HEAD, isDepthwise, publishedNames, type Renaming, torchName, torchShape } from './names.js';
import { type FileTensor, readWeights } from './read-weights.js';

/** Names that a message holds of a kind; the hint holds all. */
const SHOWN = 6;

/** How a file's weights fit a network. */
interface Fit {
  missing: string[];
  unexpected: string[];
  misshapen: string[];
}

/**
 * The values of a network's variables, by our names, of a file .safetensors or .npz that holds them by PyTorch's or timm's names
 * and in PyTorch's layout, or by our own. Strict: nothing may be missing but a head, nothing left over but a classifier.
 *
 * @throws EatDmlError ERR_PATH, ERR_SYSTEM (unreadable), ERR_DATA (no such file, or not these weights: each tensor is named),
 * ERR_NOT_FINITE.
 */
export function loadWeights(
  path: string,
  kind: string,
  variables: readonly VariableSpec[],
  { renaming, layers = [] }: { renaming?: Renaming; layers?: readonly Layer[] } = {},
): Map<string, Float32Array> {
  const { tensors: stored, metadata } = readWeights(path);
  checkDescribed(path, metadata, layers);
  const own = variables.some(({ name }) => stored.has(name));
  const tensors = own ? new Map(stored) : publishedNames(stored, path, renaming);
  const nameOf = (variable: string) => (own ? variable : torchName(variable));
  const headless = !variables.some(({ layer }) => layer === HEAD);
  const withHead = variables.some(({ layer, name }) => layer === HEAD && tensors.has(nameOf(name)));
  const wanted = variables.filter(({ layer }) => layer !== HEAD || withHead);
  const fit: Omit<Fit, 'unexpected'> = { missing: [], misshapen: [] };
  const values = new Map<string, Float32Array>();
  for (const { name, shape } of wanted) {
    const theirs = nameOf(name);
    const tensor = tensors.get(theirs);
    tensors.delete(theirs);
    const depthwise = isDepthwise(name);
    const expected = own ? shape : torchShape(shape, depthwise);
    if (!tensor) fit.missing.push(theirs);
    else if (!fits(tensor, expected)) fit.misshapen.push(`${theirs} ${shapeText(tensor)} for [${expected.join(', ')}]`);
    else {
      const read = finite(path, theirs, tensor);
      values.set(name, own ? read : fromTorch(read, shape, depthwise));
    }
  }
  const { missing, misshapen } = fit;
  const unexpected = unexpectedIn(tensors, headless);
  if (missing.length + unexpected.length + misshapen.length === 0) return values;
  throw unfit(path, kind, { missing, unexpected, misshapen });
}

/** What a file says that its weights were trained with must be what the network has: else embeddings are others, silently. */
function checkDescribed(path: string, metadata: ReadonlyMap<string, string>, layers: readonly Layer[]): void {
  for (const [key, own] of layers.length > 0 ? Object.entries(describedBy(layers)) : []) {
    const theirs = metadata.get(key);
    if (theirs === undefined || theirs === own) continue;
    const message = `Expected weights of a network with the ${key} ${own} but received those of one with ${theirs} in ${path}.`;
    throw new EatDmlError('ERR_DATA', message, {
      hint: `Give the model the ${key} that its weights were trained with.`,
    });
  }
}

/** A head is no surprise to a network without one. */
function unexpectedIn(left: ReadonlyMap<string, FileTensor>, headless: boolean): string[] {
  return [...left.keys()].filter((name) => !(headless && [`${HEAD}.`, `${HEAD}/`].some((of) => name.startsWith(of))));
}

/** Vectors may be rows, as in the published file of BN-Inception. */
function fits({ shape, values }: FileTensor, expected: readonly number[]): boolean {
  const own = expected.length === 1 && shape.length === 2 && shape[0] === 1 ? shape.slice(1) : shape;
  return values !== undefined && own.join() === expected.join();
}

function shapeText({ shape, dtype, values }: FileTensor): string {
  return values ? `[${shape.join(', ')}]` : `of ${dtype}`;
}

function finite(path: string, name: string, { values }: FileTensor): Float32Array {
  const read = values!();
  for (let i = 0; i < read.length; i++) {
    if (Number.isFinite(read[i])) continue;
    throw new EatDmlError('ERR_NOT_FINITE', `Expected finite weights but received ${read[i]} in ${name} of ${path}.`);
  }
  return read;
}

function unfit(path: string, kind: string, fit: Fit): EatDmlError {
  const parts = Object.entries(fit).filter(([, names]) => names.length > 0);
  const shown = (names: string[], most: number) =>
    names.length > most ? `${names.slice(0, most).join(', ')} and ${names.length - most} more` : names.join(', ');
  const text = (most: number) =>
    parts.map(([what, names]: [string, string[]]) => `${what} ${shown(names, most)}`).join('; ');
  const more = parts.some(([, names]) => names.length > SHOWN);
  return new EatDmlError(
    'ERR_DATA',
    `Expected the weights of ${kind} in ${path} but received others: ${text(SHOWN)}.`,
    {
      ...(more && { hint: `All of them: ${text(Infinity)}.` }),
    },
  );
}
