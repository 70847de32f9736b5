/** What a product may be passed through before it leaves the registers. */
export const ACTIVATIONS = ['none', 'relu', 'relu6'] as const;

export type Activation = (typeof ACTIVATIONS)[number];

/** The activation as a function, for the reference kernels. */
export function activationOf(index: number): (x: number) => number {
  const relu = (x: number) => Math.max(0, x);
  return [(x: number) => x, relu, (x: number) => Math.min(6, relu(x))][index];
}
