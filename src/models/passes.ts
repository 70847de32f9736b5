import * as tf from '#tf';
import {
  activated,
  averagePool,
  type ConvReluLayer,
  convActivated,
  convolve,
  convReluStack,
  maxPool,
  maxPoolCeil,
  meanPool,
  recomputed,
  sumRelu,
} from '../tfjs/index.js';
import { batchNorm, batchNormOf, foldBatchNorm, type Weights } from './batch-norm.js';
import type { Activation, Concat, Convolution, Depthwise, Layer, MaxPool, Padding, Sum } from './layers.js';
import { normalise } from './preprocessing.js';

/** A network's variables by name. */
export type Variables = ReadonlyMap<string, tf.Variable>;

/** Some layers as one function. */
export type Pass = (x: tf.Tensor) => tf.Tensor;

/** One step of a pass. */
interface Stage {
  run: Pass;
  /** What it is, where it is a convolution that {@link convReluStack} can do. */
  inStack?: ConvReluLayer & { relu: boolean };
}

/** In which passes differ. */
interface Making {
  convolution(layer: Convolution | Depthwise): Stage;
  /** A variable itself, or its value of now. */
  value(variable: tf.Variable): tf.Tensor;
  /** Of the stages of one row of layers: fewer that do the same. */
  joined?(stages: Stage[]): Stage[];
  /** A residual block, where it can be done as one: a row of stages, to whose value that of the shortcut is added before a relu. */
  residual?(main: Stage[], shortcut: Pass): Pass | undefined;
}

/** The pass in training: batch normalisation by the batch's own statistics, which moves the running ones unless told not to. */
export function trainingPass(layers: readonly Layer[], variables: Variables, moving = true): Pass {
  return inOrder(layers, variables, trainingOf(variables, moving));
}

function trainingOf(variables: Variables, moving: boolean): Making {
  return { convolution: (layer) => ({ run: trained(layer, variables, moving) }), value: (variable) => variable };
}

/**
 * {@link trainingPass}, which keeps of each block (a sum or concatenation of branches) what goes into it, and computes the block again for
 * its gradients: the same bits with less memory, for one more pass of the blocks.
 */
export function recomputingPass(layers: readonly Layer[], variables: Variables, moving = true): Pass {
  const passes = layers.map((layer): Pass => {
    const run = (move: boolean) => stageOf(layer, variables, trainingOf(variables, move)).run;
    return isBlock(layer) ? recomputed(run(moving), run(false), learntBy(layer, variables)) : run(moving);
  });
  return (x) => passes.reduce((y, pass) => pass(y), x);
}

export const isBlock = (layer: Layer): layer is Sum | Concat => layer.type === 'sum' || layer.type === 'concat';

/** The variables of a layer, and of those in it, that learn. */
function learntBy(layer: Layer, variables: Variables): tf.Variable[] {
  const names = new Set(namesOf(layer));
  const own = [...variables].filter(([name]) => names.has(name.slice(0, name.lastIndexOf('/'))));
  return own.map(([, variable]) => variable).filter(({ trainable }) => trainable);
}

/** What the names of its variables begin with. */
function namesOf(layer: Layer): string[] {
  if (isBlock(layer)) return layer.branches.flat().flatMap(namesOf);
  if (layer.type === 'conv' || layer.type === 'depthwise')
    return [layer.name, ...(layer.norm ? [layer.norm.name] : [])];
  return layer.type === 'dense' ? [layer.name] : [];
}

/**
 * The pass in inference with the weights of now, batch normalisation folded into the convolutions; differentiable in the
 * variables, too. What it folds belongs to the tidy around this call.
 */
export function foldedPass(layers: readonly Layer[], variables: Variables): Pass {
  return inOrder(layers, variables, { convolution: (layer) => folded(layer, variables), value: tf.clone });
}

/**
 * {@link foldedPass} for gradients by the images alone: wherever convolutions with ReLU follow one another, they run as one
 * stack, which keeps only bits of what lies between them.
 */
export function frozenPass(layers: readonly Layer[], variables: Variables): Pass {
  const convolution = (layer: Convolution | Depthwise) => folded(layer, variables);
  return inOrder(layers, variables, { convolution, value: tf.clone, joined: stacked, residual });
}

function inOrder(layers: readonly Layer[], variables: Variables, making: Making): Pass {
  return passOf(
    layers.map((layer) => stageOf(layer, variables, making)),
    making,
  );
}

function passOf(stages: Stage[], { joined }: Making): Pass {
  const runs = (joined?.(stages) ?? stages).map(({ run }) => run);
  return (x) => runs.reduce((y, run) => run(y), x);
}

function stageOf(layer: Layer, variables: Variables, making: Making): Stage {
  switch (layer.type) {
    case 'conv':
    case 'depthwise':
      return making.convolution(layer);
    case 'normalise':
      return { run: (x) => normalise(x as tf.Tensor4D, layer) };
    case 'max-pool':
      return { run: (x) => pooled(x as tf.Tensor4D, layer) };
    case 'average-pool':
      return { run: (x) => averagePool(x as tf.Tensor4D, layer.size) };
    case 'flatten':
      return { run: (x) => tf.reshape(x, [x.shape[0], 1, 1, tf.util.sizeFromShape(x.shape.slice(1))]) };
    case 'mean-pool':
      return { run: (x) => meanPool(x as tf.Tensor4D) };
    case 'peak-pool':
      return { run: (x) => tf.max(x, [1, 2]) };
    case 'dense': {
      const [kernel, bias] = ['kernel', 'bias'].map((end) => making.value(variables.get(`${layer.name}/${end}`)!));
      return { run: (x) => tf.add(tf.matMul(x, kernel), bias) };
    }
    case 'sum': {
      const rows = layer.branches.map((branch) => branch.map((inner) => stageOf(inner, variables, making)));
      const branches = rows.map((row) => passOf(row, making));
      const pair = layer.activation === 'relu' && rows.length === 2;
      const block = pair && making.residual?.(rows[0], branches[1]);
      if (block) return { run: block };
      const run: Pass = (x) =>
        sumOf(
          branches.map((branch) => branch(x)),
          layer.activation,
        );
      return { run };
    }
    case 'concat': {
      const branches = layer.branches.map((branch) => inOrder(branch, variables, making));
      return {
        run: (x) =>
          tf.concat(
            branches.map((branch) => branch(x)),
            -1,
          ),
      };
    }
  }
}

function sumOf(terms: tf.Tensor[], activation: Activation): tf.Tensor {
  const before = terms.slice(0, -1).reduce((a, b) => tf.add(a, b));
  const last = terms.at(-1)!;
  if (activation === 'relu' && terms.length > 1) return sumRelu(before, last);
  return activated(terms.length > 1 ? tf.add(before, last) : last, activation);
}

function pooled(x: tf.Tensor4D, { size, strides, padding }: MaxPool): tf.Tensor4D {
  if (padding === 'ceil') return maxPoolCeil(x, size, strides);
  return maxPool(x, size, strides, plain({ size, strides, padding }));
}

function filterOf({ type, name }: Convolution | Depthwise, variables: Variables): tf.Tensor4D {
  const end = type === 'conv' ? 'kernel' : 'depthwise_kernel';
  return variables.get(`${name}/${end}`) as tf.Tensor as tf.Tensor4D;
}

function trained(layer: Convolution | Depthwise, variables: Variables, moving: boolean): Pass {
  const { strides, norm, activation = 'none' } = layer;
  // Folded anew in each call: the filter learns.
  if (norm?.frozen) return (x) => folded(layer, variables).run(x);
  const how = { strides, pad: plain(layer), depthwise: layer.type === 'depthwise', activation: 'none' } as const;
  const [filter, bias] = [filterOf(layer, variables), variables.get(`${layer.name}/bias`)];
  const state = norm && batchNormOf(norm, variables);
  return (x) => {
    const input = x as tf.Tensor4D;
    const z = bias ? convActivated(input, filter, bias as tf.Tensor as tf.Tensor1D, how) : convolve(input, filter, how);
    return state ? batchNorm(z, state, activation, moving) : activated(z, activation);
  };
}

function folded(layer: Convolution | Depthwise, variables: Variables): Stage {
  const { strides, activation = 'none' } = layer;
  const [pad, depthwise] = [plain(layer), layer.type === 'depthwise'];
  const { filter, bias } = foldedWeights(layer, variables);
  const run: Pass = (x) => convActivated(x as tf.Tensor4D, filter, bias, { strides, pad, depthwise, activation });
  const fits = !depthwise && activation !== 'relu6';
  return fits ? { run, inStack: { filter, bias, strides, pad, relu: activation === 'relu' } } : { run };
}

function foldedWeights(layer: Convolution | Depthwise, variables: Variables): Weights {
  const [filter, bias] = [filterOf(layer, variables), variables.get(`${layer.name}/bias`)];
  if (layer.norm) return foldBatchNorm(filter, bias, batchNormOf(layer.norm, variables));
  return { filter: tf.clone(filter), bias: tf.clone(bias as tf.Tensor) as tf.Tensor1D };
}

/** TensorFlow's 'same' where PyTorch's padding is no other, whatever the size of the image. */
function plain({ size, strides, padding }: { size: number; strides: number; padding: Padding }): Padding {
  const around = padding === 'valid' ? 0 : padding;
  return around !== 'same' && size === 2 * around + 1 && (strides === 1 || size === 1) ? 'same' : padding;
}

/** Rows of two or more stages that a stack can do, each as one. */
function stacked(stages: Stage[]): Stage[] {
  const rows: Stage[][] = [];
  for (const stage of stages) {
    const last = rows.at(-1);
    if (stage.inStack?.relu && last?.[0].inStack?.relu) last.push(stage);
    else rows.push([stage]);
  }
  return rows.map((row) => {
    if (row.length === 1) return row[0];
    const layers = row.map(({ inStack }) => inStack!);
    return { run: (x) => convReluStack(x as tf.Tensor4D, layers) };
  });
}

/** Where the row ends in a convolution without relu, after others with it: one stack, to which the shortcut's value is added. */
function residual(main: Stage[], shortcut: Pass): Pass | undefined {
  const layers = main.flatMap(({ inStack }) => inStack ?? []);
  const whole = layers.length === main.length && layers.length > 0;
  if (!whole || !layers.every(({ relu }, i) => relu === i + 1 < layers.length)) return undefined;
  return (x) => convReluStack(x as tf.Tensor4D, layers, shortcut(x) as tf.Tensor4D);
}
