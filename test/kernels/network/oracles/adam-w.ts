import type { AdamWArgs } from '../../../../src/kernels/network/adam-w.js';

/** m' = beta1 m + (1 - beta1) g, v' = beta2 v + (1 - beta2) g², w' = kept w - rate m' / (√v' + floor) */
export function* adamWReference(args: AdamWArgs): Generator<void> {
  const { size, weights, gradient, beta1, beta2, kept, rate, floor } = args;
  for (let i = 0; i < size; i++) {
    const first = beta1 * args.first[i] + (1 - beta1) * gradient[i];
    const second = beta2 * args.second[i] + (1 - beta2) * gradient[i] ** 2;
    args.outWeights[i] = kept * weights[i] - (rate * first) / (Math.sqrt(second) + floor);
    args.outFirst[i] = first;
    args.outSecond[i] = second;
    if (i % 65536 === 0) yield;
  }
}
