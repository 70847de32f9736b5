import { EatDmlError } from '../../errors.js';

/** What another library calls the tensors of the same network. */
export interface Renaming {
  /** A name that only its files hold. */
  mark: string;
  /** The published name; of what it does not know, the name itself. */
  rename(name: string): string;
}

/** What the dense layer at the end of a network is called, which a file of published weights has none of. */
export const HEAD = 'embedding';

/** What wrappers of a whole network put before every name: DataParallel, and the training programs of the field. */
const WRAPPERS = ['module.', 'model.', 'backbone.'];

/** The classifiers of the published networks, which an embedding has no use for. */
const CLASSIFIER = /^(fc|classifier|classifier\.1|last_linear)\.(weight|bias)$/;

const COUNTER = /(^|\.)num_batches_tracked$/;

/** PyTorch's name of a variable: conv1/kernel is conv1.weight, bn1/moving_mean bn1.running_mean. */
export function torchName(variable: string): string {
  const [layer, end] = variable.split('/');
  return `${layer}.${ENDS[end]}`;
}

const ENDS: Record<string, string> = {
  kernel: 'weight',
  depthwise_kernel: 'weight',
  gamma: 'weight',
  bias: 'bias',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/**
 * The tensors of a file by the published names, without wrappers, classifier and counters. ERR_DATA where two come to one name.
 */
export function publishedNames<T>(tensors: ReadonlyMap<string, T>, path: string, renaming?: Renaming): Map<string, T> {
  let named = [...tensors];
  for (let wrapper = wrapperOf(named); wrapper !== undefined; wrapper = wrapperOf(named)) {
    const { length } = wrapper;
    named = named.map(([name, tensor]) => [name.slice(length), tensor]);
  }
  if (renaming && named.some(([name]) => name === renaming.mark)) {
    named = named.map(([name, tensor]) => [renaming.rename(name), tensor]);
  }
  const published = new Map<string, T>();
  for (const [name, tensor] of named) {
    if (CLASSIFIER.test(name) || COUNTER.test(name)) continue;
    if (!published.has(name)) published.set(name, tensor);
    else throw new EatDmlError('ERR_DATA', `Expected one tensor for ${name} but received two in ${path}.`);
  }
  return published;
}

function wrapperOf(named: readonly (readonly [string, unknown])[]): string | undefined {
  return WRAPPERS.find((wrapper) => named.length > 0 && named.every(([name]) => name.startsWith(wrapper)));
}

/** Whether a variable is a filter for each channel, whose layout is another. */
export function isDepthwise(variable: string): boolean {
  return variable.endsWith('/depthwise_kernel');
}

/** PyTorch's shape of a variable: convolutions [out, in, h, w], dense layers [out, in]. */
export function torchShape(shape: readonly number[], depthwise: boolean): number[] {
  if (shape.length === 2) return [shape[1], shape[0]];
  if (shape.length !== 4) return [...shape];
  const [h, w, channels, filters] = shape;
  return depthwise ? [channels, filters, h, w] : [filters, channels, h, w];
}

/** Values in PyTorch's layout as the variable of that shape holds them. */
export function fromTorch(values: Float32Array, shape: readonly number[], depthwise: boolean): Float32Array {
  return moved(values, shape, depthwise, false);
}

/** The other way. */
export function toTorch(values: Float32Array, shape: readonly number[], depthwise: boolean): Float32Array {
  return moved(values, shape, depthwise, true);
}

/** A dense layer is a convolution of one pixel; in vectors nothing moves. */
function moved(values: Float32Array, shape: readonly number[], depthwise: boolean, back: boolean): Float32Array {
  if (shape.length !== 2 && shape.length !== 4) return values;
  const [h, w, third, fourth] = shape.length === 2 ? [1, 1, ...shape] : shape;
  const places = h * w;
  const out = new Float32Array(values.length);
  let ours = 0;
  for (let place = 0; place < places; place++) {
    for (let i = 0; i < third; i++) {
      for (let j = 0; j < fourth; j++, ours++) {
        const theirs = (depthwise ? i * fourth + j : j * third + i) * places + place;
        if (back) out[theirs] = values[ours];
        else out[ours] = values[theirs];
      }
    }
  }
  return out;
}
