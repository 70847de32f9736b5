import { type Conv2DGeometry, passedLength } from '../../kernels/network/by-device.js';
import type { Draw } from '../draw.js';
import { type Arguments, some } from './matrices.js';

const ACTIVATIONS = ['none', 'relu', 'relu6'] as const;

const activation = (draw: Draw) => draw.maybe(0.4, () => ({ activation: draw.pick(ACTIVATIONS) }));

interface Shape {
  batch: number;
  height: number;
  width: number;
  channels: number;
}

const shapeOf = (draw: Draw): Shape => ({
  ...{ batch: draw.between(1, 3), height: draw.between(1, 7), width: draw.between(1, 7) },
  channels: draw.chance(0.2) ? draw.between(15, 18) : draw.between(1, 4),
});

/** One convolution (or pool) of images of `shape`; the sizes of its output are free. Taps far apart may miss the image. */
function geometryOf(
  draw: Draw,
  { batch, height, width, channels }: Shape,
  outChannels: number,
  farthest = 2,
): Conv2DGeometry {
  const axis = (size: number) => {
    const [filter, stride, dilation] = [draw.between(1, 3), draw.between(1, 3), draw.between(1, farthest)];
    const pad = draw.between(0, (filter - 1) * dilation);
    const whole = Math.floor((size + 2 * pad - (filter - 1) * dilation - 1) / stride) + 1;
    return { filter, stride, dilation, pad, out: Math.max(1, whole) };
  };
  const [y, x] = [axis(height), axis(width)];
  return {
    ...{ batch, inHeight: height, inWidth: width, inChannels: channels },
    ...{ outHeight: y.out, outWidth: x.out, outChannels },
    ...{ filterHeight: y.filter, filterWidth: x.filter, strideHeight: y.stride, strideWidth: x.stride },
    ...{ padTop: y.pad, padLeft: x.pad, dilationHeight: y.dilation, dilationWidth: x.dilation },
  };
}

const outputShape = (g: Conv2DGeometry): Shape => ({
  ...{ batch: g.batch, height: g.outHeight, width: g.outWidth, channels: g.outChannels },
});
const sizeOf = ({ batch, height, width, channels }: Shape) => batch * height * width * channels;
const windowOf = (g: Conv2DGeometry) => g.filterHeight * g.filterWidth;

/** Values for the operands of a convolution: `filter` has `perPixel` filters of each input channel. */
function operands(draw: Draw, shape: Shape, g: Conv2DGeometry, perPixel: number) {
  return {
    input: () => draw.floats(sizeOf(shape)),
    filter: () => draw.floats(windowOf(g) * g.inChannels * perPixel),
    dy: () => draw.floats(sizeOf(outputShape(g))),
  };
}

type Operand = 'input' | 'filter' | 'dy';

/** A convolution that reads two of its operands and writes the third, which is of the size of `like`. */
function convolution(names: [Operand, Operand], like: Operand, depthwise: boolean): Arguments {
  return (draw) => {
    const shape = shapeOf(draw);
    const geometry = geometryOf(draw, shape, depthwise ? shape.channels : draw.between(1, 5));
    const values = operands(draw, shape, geometry, depthwise ? 1 : geometry.outChannels);
    const read = Object.fromEntries(names.map((name) => [name, values[name]()]));
    const out = () => ({ out: new Float32Array(values[like]().length) });
    const bias = () => ({ bias: draw.floats(geometry.outChannels) });
    const end = like === 'dy' ? { ...activation(draw), ...draw.maybe(0.4, bias) } : {};
    return [{ geometry, ...read, ...end, ...draw.maybe(0.4, out) }];
  };
}

const matmul: Arguments = (draw) => {
  const [m, n, k] = [some(draw), some(draw), some(draw)];
  const given = draw.maybe(0.5, () => ({ batch: draw.between(1, 3) }));
  const batch = given.batch ?? 1;
  const flag = (name: string) => draw.maybe(0.3, () => ({ [name]: true }));
  const flags: Record<string, unknown> = { ...flag('broadcastA'), ...flag('broadcastB') };
  const [a, b] = [
    draw.floats((flags.broadcastA ? 1 : batch) * m * k),
    draw.floats((flags.broadcastB ? 1 : batch) * k * n),
  ];
  const ends = { ...draw.maybe(0.4, () => ({ bias: draw.floats(n) })), ...activation(draw) };
  const out = draw.maybe(0.4, () => ({ out: new Float32Array(batch * m * n) }));
  return [{ ...{ a, b, m, n, k }, ...given, ...flags, ...flag('transposeA'), ...flag('transposeB'), ...ends, ...out }];
};

/** The layers of a stack, which follow each other. */
function layersOf(draw: Draw, biased: boolean) {
  let shape = shapeOf(draw);
  const input = sizeOf(shape);
  const layers = Array.from({ length: draw.between(1, 3) }, () => {
    const geometry = geometryOf(draw, shape, draw.chance(0.2) ? 33 : draw.between(1, 5));
    shape = outputShape(geometry);
    const filter = draw.floats(windowOf(geometry) * geometry.inChannels * geometry.outChannels);
    return { geometry, filter, ...(biased && { bias: draw.floats(geometry.outChannels) }) };
  });
  return { layers, input, output: sizeOf(shape) };
}

const convReluStack: Arguments = (draw) => {
  const { layers, input, output } = layersOf(draw, true);
  const passed = () => ({ passed: new Int32Array(passedLength(layers)) });
  const out = () => ({ out: new Float32Array(output) });
  const sum = () => ({ sum: draw.floats(output) });
  const rest = { ...draw.maybe(0.4, sum), ...draw.maybe(0.4, out), ...draw.maybe(0.4, passed) };
  return [{ layers, input: draw.floats(input), ...rest }];
};

const convReluStackBackpropInput: Arguments = (draw) => {
  const { layers, input, output } = layersOf(draw, draw.chance(0.5));
  const passed = draw.integers(passedLength(layers), 2 ** 31 - 1);
  const out = () => ({ out: new Float32Array(input) });
  const masked = () => ({ masked: new Float32Array(output) });
  const [first, last] = [layers[0].geometry, layers[layers.length - 1].geometry];
  const fits =
    Object.values(outputShape(last)).join() === [first.batch, first.inHeight, first.inWidth, first.inChannels].join();
  const rest = { ...draw.maybe(0.4, out), ...draw.maybe(0.4, masked), ...draw.maybe(0.5, () => ({ residual: fits })) };
  return [{ layers, dy: draw.floats(output), passed, ...rest }];
};

const passedLengthArguments: Arguments = (draw) => [layersOf(draw, true).layers];

function pool(draw: Draw) {
  const shape = shapeOf(draw);
  // Every window of a pool reaches into the image.
  const geometry = geometryOf(draw, shape, shape.channels, 1);
  const x = () => draw.floats(sizeOf(shape));
  return { geometry, op: draw.pick(['max', 'average']), x, size: sizeOf(shape), output: sizeOf(outputShape(geometry)) };
}

const pool2d: Arguments = (draw) => {
  const { x, size: _, output, ...rest } = pool(draw);
  return [{ ...rest, x: x(), ...draw.maybe(0.4, () => ({ out: new Float32Array(output) })) }];
};

const pool2dGradient: Arguments = (draw) => {
  const { x, size, output, ...rest } = pool(draw);
  const dx = () => ({ dx: new Float32Array(size) });
  return [{ ...rest, x: x(), dy: draw.floats(output), ...draw.maybe(0.4, dx) }];
};

const batchMoments: Arguments = (draw) => {
  const [rows, channels] = [some(draw), some(draw)];
  return [{ x: draw.floats(rows * channels), rows, channels }];
};

function normalisation(draw: Draw) {
  const [rows, channels] = [some(draw), some(draw)];
  const perChannel = (name: string) => ({ [name]: draw.floats(channels) });
  return {
    ...{ x: draw.floats(rows * channels), rows, channels, epsilon: draw.uniform() },
    ...{ mean: draw.floats(channels), variance: draw.floats(channels).map(Math.abs) },
    ...draw.maybe(0.5, () => perChannel('scale')),
    ...draw.maybe(0.5, () => perChannel('offset')),
    ...activation(draw),
  };
}

const batchNorm: Arguments = (draw) => {
  const options = normalisation(draw);
  return [{ ...options, ...draw.maybe(0.4, () => ({ out: new Float32Array(options.x.length) })) }];
};

const batchNormGradient: Arguments = (draw) => {
  const options = normalisation(draw);
  const dx = () => ({ dx: new Float32Array(options.x.length) });
  return [{ ...options, dy: draw.floats(options.x.length), ...draw.maybe(0.4, dx) }];
};

export const network = {
  ...{ matmul, convReluStack, convReluStackBackpropInput, passedLength: passedLengthArguments },
  ...{ pool2d, pool2dGradient, batchMoments, batchNorm, batchNormGradient },
  conv2d: convolution(['input', 'filter'], 'dy', false),
  conv2dBackpropInput: convolution(['dy', 'filter'], 'input', false),
  conv2dBackpropFilter: convolution(['input', 'dy'], 'filter', false),
  depthwiseConv2d: convolution(['input', 'filter'], 'dy', true),
  depthwiseConv2dBackpropInput: convolution(['dy', 'filter'], 'input', true),
  depthwiseConv2dBackpropFilter: convolution(['input', 'dy'], 'filter', true),
};
