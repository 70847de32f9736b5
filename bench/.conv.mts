import { conv2dBackpropFilterSync, conv2dBackpropInputSync, conv2dSync } from '../src/kernels/conv2d.js';

const L = [
  ['demo1', 64, 28, 1, 32, 3, 1],
  ['demo2', 64, 28, 32, 64, 3, 2],
  ['demo3', 64, 14, 64, 128, 3, 2],
  ['issue', 64, 28, 32, 64, 3, 1],
  ['r-stem', 64, 64, 3, 64, 7, 2],
  ['r1', 64, 16, 64, 64, 3, 1],
  ['r2d', 64, 16, 64, 128, 3, 2],
  ['r2', 64, 8, 128, 128, 3, 1],
  ['r2s', 64, 16, 64, 128, 1, 2],
  ['r3', 64, 4, 256, 256, 3, 1],
  ['r4', 64, 2, 512, 512, 3, 1],
] as const;
const only = process.argv[2];
for (const [name, batch, size, inC, outC, k, s] of L) {
  if (only && !name.startsWith(only)) continue;
  const out = Math.ceil(size / s);
  const total = Math.max(0, (out - 1) * s + k - size);
  const geometry = {
    batch,
    inHeight: size,
    inWidth: size,
    inChannels: inC,
    outHeight: out,
    outWidth: out,
    outChannels: outC,
    filterHeight: k,
    filterWidth: k,
    strideHeight: s,
    strideWidth: s,
    padTop: total >> 1,
    padLeft: total >> 1,
    dilationHeight: 1,
    dilationWidth: 1,
  };
  const r = (n: number) => Float32Array.from({ length: n }, () => Math.random() - 0.5);
  const input = r(batch * size * size * inC),
    filter = r(k * k * inC * outC),
    dy = r(batch * out * out * outC);
  const flops = 2 * batch * out * out * outC * k * k * inC;
  const o1 = new Float32Array(dy.length),
    o2 = new Float32Array(input.length),
    o3 = new Float32Array(filter.length);
  const time = (f: () => void) => {
    let best = 1e9;
    for (let i = 0; i < 25; i++) {
      const t = performance.now();
      f();
      best = Math.min(best, performance.now() - t);
    }
    return best;
  };
  const show = (t: number) => `${t.toFixed(2)}ms ${(flops / t / 1e6).toFixed(0)}GF`.padStart(18);
  console.log(
    name.padEnd(8),
    show(time(() => conv2dSync({ geometry, input, filter, out: o1 }))),
    show(time(() => conv2dBackpropInputSync({ geometry, dy, filter, out: o2 }))),
    show(time(() => conv2dBackpropFilterSync({ geometry, input, dy, out: o3 }))),
  );
}
