import * as tf from '#tf';

/** As tfjs keeps an operation for the way back. */
interface TapeNode {
  inputs: tf.NamedTensorMap;
  outputs: tf.Tensor[];
  gradient?: (dys: tf.Tensor[]) => Record<string, () => tf.Tensor>;
}

/** What a variable's gradients come to: as many as operations took it, the last operation's first. */
export interface Arrival {
  /** Of the variable, among those that are watched. */
  index: number;
  /** This operation's share of the gradient; the tape's own. */
  gradient: tf.Tensor;
  /** How many more operations that the loss depends on took the variable. */
  left: number;
}

/**
 * Tells of gradients of `loss` by `variables` as the way back comes to them, before it ends. To be called at the end of the function that
 * tf.variableGrads is given, with what that function will return.
 */
export function watchGradients(
  loss: tf.Tensor,
  variables: readonly tf.Variable[],
  onArrival: (arrival: Arrival) => void,
): void {
  const indices = new Map(variables.map(({ id }, index) => [id, index]));
  const left = variables.map(() => 0);
  for (const node of nodesBelow(loss)) {
    const { gradient } = node;
    const taken = Object.entries(node.inputs).filter(([, { id }]) => indices.has(id));
    if (!gradient || taken.length === 0) continue;
    for (const [, { id }] of taken) left[indices.get(id)!]++;
    node.gradient = (dys) => {
      const gradients = { ...gradient(dys) };
      for (const [name, { id }] of taken) {
        const index = indices.get(id)!;
        const compute = gradients[name];
        gradients[name] = () => {
          const of = compute();
          onArrival({ index, gradient: of, left: --left[index] });
          return of;
        };
      }
      return gradients;
    };
  }
}

/** What the tape has that `loss` depends on. */
function nodesBelow(loss: tf.Tensor): TapeNode[] {
  const { activeTape } = tf.engine().state as unknown as { activeTape: TapeNode[] };
  const needed = new Set([loss.id]);
  return activeTape.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some(({ id }) => needed.has(id))) return false;
    for (const { id } of Object.values(inputs)) needed.add(id);
    return true;
  });
}
