import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { SyncGroup } from '../../src/distributed/index.js';
import { single } from '../../src/distributed/index.js';
import { LeavingGradients } from '../../src/training/parallel/leaving-gradients.js';

beforeAll(async () => void (await tf.setBackend('cpu')));
afterEach(() => tf.disposeVariables());

/** A group in which another rank has the same gradients; notes how many values leave. */
function two(events: string[]): SyncGroup {
  const doubled = <T extends { map(f: (value: number) => number): T }>(values: T) => values.map((value) => 2 * value);
  return {
    ...single(),
    size: 2,
    startAllReduce(values) {
      events.push(`${values.length} leave`);
      const sum = doubled(values as never) as typeof values;
      return () => {
        events.push(`${values.length} are there`);
        return sum;
      };
    },
    allReduceNow: (values) => doubled(values as never) as typeof values,
  };
}

const variable = (...shape: number[]) => tf.variable(tf.randomUniform(shape, -1, 1, 'float32', shape[0]));

function layers() {
  const [w, b, v, unused] = [variable(3, 4), variable(4), variable(4, 4), variable(5)];
  const x = tf.randomUniform([2, 3], -1, 1, 'float32', 9);
  /** v is taken twice. */
  const loss = (events: string[] = []) => {
    const seen = tf.customGrad((y) => ({
      value: tf.clone(y as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => {
        events.push('below');
        return dy;
      },
    }));
    const hidden = seen(tf.add(tf.matMul(x, w), b)) as tf.Tensor2D;
    return tf.sum<tf.Scalar>(tf.square(tf.matMul(tf.relu(tf.matMul(hidden, v)), v)));
  };
  return { variables: [w, b, v, unused], loss };
}

test('gradients leave while the way back goes on, the last layer’s first, and come back as sums over ranks', () => {
  const { variables, loss } = layers();
  const { grads } = tf.variableGrads(() => loss(), variables);
  const events: string[] = [];
  const sums = new LeavingGradients(two(events), variables.slice(0, 3), 16);
  tf.variableGrads(
    () => {
      const value = loss(events);
      sums.watch(value, true);
      return value;
    },
    variables.slice(0, 3),
  );
  // v has a bucket; w and b together another.
  expect(events).toEqual(['16 leave', 'below', '16 leave']);
  const summed = sums.tensors();
  expect(events.slice(3)).toEqual(['16 are there', '16 are there']);
  for (const { name } of variables.slice(0, 3)) {
    expect(summed[name].dataSync()).toEqual(grads[name].dataSync().map((value) => 2 * value));
  }
});

test('a step takes the memory of the step before, without what was in it', () => {
  const { variables, loss } = layers();
  const group = two([]);
  const of = (watched: typeof variables, value: () => tf.Scalar) => {
    const sums = new LeavingGradients(group, watched, 16);
    tf.variableGrads(() => {
      const made = value();
      sums.watch(made, true);
      return made;
    }, watched);
    return sums.tensors();
  };
  const first = of(variables, () => loss());
  const kept = first[variables[2].name].dataSync().slice();
  expect(Object.keys(first)).toEqual(variables.slice(0, 3).map(({ name }) => name));
  const [w] = variables;
  const second = of(variables, () => tf.sum(w));
  expect(Object.keys(second)).toEqual([w.name]);
  expect(second[w.name].dataSync()).toEqual(new Float32Array(12).fill(2));
  expect(first[variables[2].name].dataSync()).toEqual(kept);
});

test('where ranks’ tapes may differ, and of variables without a gradient, all leave at the end', () => {
  const { variables, loss } = layers();
  const { grads } = tf.variableGrads(() => loss(), variables);
  for (const [watched, leave] of [
    [variables, true],
    [variables.slice(0, 3), false],
  ] as const) {
    const events: string[] = [];
    const sums = new LeavingGradients(two(events), watched, 16);
    tf.variableGrads(() => {
      const value = loss(events);
      sums.watch(value, leave);
      return value;
    }, [...watched]);
    expect(events).toEqual(['below']);
    const summed = sums.tensors();
    expect(summed[variables[3].name]).toBe(undefined);
    expect(summed[variables[2].name].dataSync()).toEqual(grads[variables[2].name].dataSync().map((value) => 2 * value));
  }
});
