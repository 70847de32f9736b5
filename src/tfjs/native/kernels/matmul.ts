import * as tf from '#tf';
import { matmul } from '../../../kernels/network/index.js';
import { compose } from '../../compose.js';
import type { KernelCall, NativeKernel } from '../kernel.js';
import { biasAndActivation, type FusedAttrs, inRegister } from './activation.js';

type MatMulAttrs = Pick<tf.BatchMatMulAttrs, 'transposeA' | 'transposeB'> & FusedAttrs;

/** m, n, k and the batches of both operands. */
function sizes({ inputs: { a, b }, attrs }: KernelCall<MatMulAttrs>) {
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  return {
    m: attrs.transposeA ? aColumns : aRows,
    k: attrs.transposeA ? aRows : aColumns,
    n: attrs.transposeB ? bRows : bColumns,
    aBatch: tf.util.sizeFromShape(a.shape.slice(0, -2)),
    bBatch: tf.util.sizeFromShape(b.shape.slice(0, -2)),
  };
}

/** Batches of one size, or one matrix for all. */
function accepts(call: KernelCall<MatMulAttrs>): boolean {
  const { aBatch, bBatch } = sizes(call);
  return aBatch === bBatch || aBatch === 1 || bBatch === 1;
}

function product(call: KernelCall<MatMulAttrs>, bias?: tf.TensorInfo): tf.TensorInfo {
  const { inputs, attrs, backend } = call;
  const { a, b } = inputs;
  const { m, n, k, aBatch, bBatch } = sizes(call);
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...outer, m, n];
  const values = matmul({
    a: backend.floats(a),
    b: backend.floats(b),
    m,
    n,
    k,
    batch: Math.max(aBatch, bBatch),
    broadcastA: aBatch === 1,
    broadcastB: bBatch === 1,
    transposeA: attrs.transposeA,
    transposeB: attrs.transposeB,
    bias: bias && backend.floats(bias),
    activation: inRegister(attrs.activation) ?? 'none',
    out: backend.allocate(shape),
  });
  return backend.output(shape, values);
}

/** A multiplication and an addition per term. */
function flops(call: KernelCall<MatMulAttrs>): number {
  const { m, n, k, aBatch, bBatch } = sizes(call);
  return 2 * m * n * k * Math.max(aBatch, bBatch);
}

const batchMatMul: NativeKernel<MatMulAttrs> = {
  kernelName: 'BatchMatMul',
  accepts,
  flops,
  run: (call) => product(call),
};

const fusedMatMul: NativeKernel<MatMulAttrs> = {
  kernelName: '_FusedMatMul',
  accepts,
  flops,
  run(call) {
    const { inputs, attrs, backend } = call;
    const { a, b, bias } = inputs as Record<string, tf.TensorInfo | undefined> & typeof inputs;
    const perColumn = !bias || (bias.shape.length === 1 && bias.shape[0] === sizes(call).n);
    if (inRegister(attrs.activation) && perColumn) return product(call, bias);
    return compose('native', backend, (run) => {
      const { transposeA, transposeB } = attrs;
      return biasAndActivation(run, run('BatchMatMul', { a, b }, { transposeA, transposeB }), inputs, attrs);
    });
  },
};

export const matMulKernels: NativeKernel[] = [batchMatMul, fusedMatMul];
