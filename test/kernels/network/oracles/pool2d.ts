import type { Conv2DGeometry } from '../../../../src/kernels/network/conv2d.js';
import { POOL_OPS, type Pool2DArgs, type Pool2DGradientArgs } from '../../../../src/kernels/network/pool2d.js';

/** Places of x in the window of output (n, y, x), channel 0, in order; positions outside the image left out. */
function windowOf(g: Conv2DGeometry, n: number, row: number, column: number): number[] {
  const rows = inside(row * g.strideHeight - g.padTop, g.filterHeight, g.dilationHeight, g.inHeight);
  const columns = inside(column * g.strideWidth - g.padLeft, g.filterWidth, g.dilationWidth, g.inWidth);
  return rows.flatMap((y) => columns.map((x) => ((n * g.inHeight + y) * g.inWidth + x) * g.inChannels));
}

/** The positions corner, corner + dilation, ..., as many as `taps`, that lie in [0, size): a window may be far larger. */
function inside(corner: number, taps: number, dilation: number, size: number): number[] {
  const first = Math.max(0, Math.ceil(-corner / dilation));
  const last = Math.min(taps - 1, Math.floor((size - 1 - corner) / dilation));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => corner + (first + i) * dilation);
}

/** visit(places of the window, index of the output pixel's first channel) */
function* eachWindow(g: Conv2DGeometry, visit: (places: number[], output: number) => void): Generator<void> {
  for (let n = 0; n < g.batch; n++) {
    for (let y = 0; y < g.outHeight; y++) {
      for (let x = 0; x < g.outWidth; x++) {
        visit(windowOf(g, n, y, x), ((n * g.outHeight + y) * g.outWidth + x) * g.inChannels);
      }
      yield;
    }
  }
}

/** average: Σ x / positions inside; max: the largest x, starting at -Infinity */
export function pool2dReference(args: Pool2DArgs): Generator<void> {
  const { op, x, out, inChannels } = args;
  return eachWindow(args, (places, output) => {
    for (let c = 0; c < inChannels; c++) {
      const values = places.map((place) => x[place + c]);
      out[output + c] =
        POOL_OPS[op] === 'average'
          ? values.reduce((sum, v) => sum + v, 0) / values.length
          : values.reduce((most, v) => (v > most ? v : most), Number.NEGATIVE_INFINITY);
    }
  });
}

/** average: dy / (window size) to every position; max: dy to the first largest x */
export function* pool2dGradientReference(args: Pool2DGradientArgs): Generator<void> {
  const { op, x, dy, inChannels } = args;
  const sums = new Float64Array(args.dx.length);
  yield* eachWindow(args, (places, output) => {
    for (let c = 0; c < inChannels; c++) {
      const upstream = dy[output + c];
      if (POOL_OPS[op] === 'average') {
        for (const place of places) sums[place + c] += upstream / (args.filterHeight * args.filterWidth);
        continue;
      }
      let best = Number.NEGATIVE_INFINITY;
      let chosen = -1;
      for (const place of places) {
        if (x![place + c] > best) {
          best = x![place + c];
          chosen = place;
        }
      }
      if (chosen >= 0) sums[chosen + c] += upstream;
    }
  });
  args.dx.set(sums);
}
