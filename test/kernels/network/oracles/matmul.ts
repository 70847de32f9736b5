import { activationOf } from '../../../../src/kernels/network/arguments/activation.js';
import type { MatMulArgs } from '../../../../src/kernels/network/matmul.js';

/** out[i,j] = activation(sum_l a[i,l] b[l,j] + bias[j]) */
export function* matmulReference(args: MatMulArgs): Generator<void> {
  const { a, b, m, n, k, batch, bias, out } = args;
  const activation = activationOf(args.activation);
  const [aRow, aStep] = args.transposeA ? [1, m] : [k, 1];
  const [bStep, bColumn] = args.transposeB ? [1, k] : [n, 1];
  for (let s = 0; s < batch; s++) {
    const aFirst = args.broadcastA ? 0 : s * m * k;
    const bFirst = args.broadcastB ? 0 : s * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = bias ? bias[j] : 0;
        for (let l = 0; l < k; l++) sum += a[aFirst + i * aRow + l * aStep] * b[bFirst + l * bStep + j * bColumn];
        out[(s * m + i) * n + j] = activation(sum);
      }
      yield;
    }
  }
}
