import * as tf from '#tf';

type Pass = (x: tf.Tensor) => tf.Tensor;

/**
 * `pass` as one operation that keeps its input alone for gradients: on the way back `again`, which gives the same values, is computed once
 * more for them (Chen et al., 2016: training deep nets with sublinear memory cost). `variables` are those that it learns.
 */
export function recomputed(pass: Pass, again: Pass, variables: readonly tf.Tensor[]): Pass {
  const op = tf.customGrad((...args) => {
    const [x] = args as tf.Tensor[];
    const save = args.at(-1) as unknown as tf.GradSaveFunc;
    save([x]);
    return { value: pass(x), gradFunc: (dy, [saved]) => gradientsOf(again, saved, variables, dy) };
  });
  return (x) => op(x, ...variables);
}

function gradientsOf(pass: Pass, x: tf.Tensor, variables: readonly tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const engine = tf.engine();
  // The gradient that asks for this one goes on with its own tape, which it frees at its end.
  const { activeTape } = engine.state;
  try {
    const { grads, value } = engine.gradients(() => pass(x), [x, ...variables], dy);
    value.dispose();
    return grads;
  } finally {
    engine.state.activeTape = activeTape;
  }
}
