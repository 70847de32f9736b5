/**
 * What it is worth that feature maps lie in huge pages and begin with a line of the cache: `npx tsx bench/prepared-memory.ts [rounds]`. A
 * convolution, batch normalisation and their gradients on maps in memory as V8 gives it and as `prepareMemory` leaves it, by turns in one
 * process, in the form that the backend calls: at once, into arrays that are used again, three sets of each in rotation. Medians in ms of both,
 * and their quotient.
 */
import { prepareMemory } from '../src/kernels/allocate.js';
import * as network from '../src/kernels/network/index.js';

/** Batch, side of the maps, channels, side of the filter. */
const SHAPES = [
  [8, 56, 64, 1],
  [8, 28, 128, 3],
  [8, 14, 256, 3],
  [64, 16, 64, 3],
  [64, 8, 128, 3],
  [8, 56, 256, 1],
  [8, 28, 512, 1],
  [8, 14, 1024, 1],
  [64, 32, 32, 3],
];
const rounds = Number(process.argv[2] ?? 36);
const SETS = 3;
const WARM = 4;

function array(length: number, prepared: boolean): Float32Array {
  const memory = new ArrayBuffer(4 * length + 64);
  return new Float32Array(memory, prepared ? prepareMemory(memory) : 0, length);
}

function passes([batch, side, channels, size]: number[], prepared: boolean): Record<string, () => unknown> {
  const [rows, pad] = [batch * side ** 2, (size - 1) / 2];
  const [x, y, z, dz, dy, dx] = Array.from({ length: 6 }, () => array(rows * channels, prepared));
  for (const values of [x, y, z, dz, dy, dx]) for (let k = 0; k < values.length; k++) values[k] = Math.sin(k);
  const filter = Float32Array.from({ length: size ** 2 * channels ** 2 }, (_, k) => Math.cos(k) / channels);
  const geometry = {
    ...{ batch, inHeight: side, inWidth: side, inChannels: channels, outHeight: side, outWidth: side },
    ...{ outChannels: channels, filterHeight: size, filterWidth: size, strideHeight: 1, strideWidth: 1 },
    ...{ dilationHeight: 1, dilationWidth: 1, padTop: pad, padLeft: pad },
  };
  const { mean, variance } = network.batchMoments({ x, rows, channels });
  const normal = { x: y, rows, channels, mean, variance, epsilon: 1e-5, activation: 'relu' as const };
  return {
    conv: () => network.conv2d({ geometry, input: x, filter, out: y }),
    input: () => network.conv2dBackpropInput({ geometry, dy: dz, filter, out: dy }),
    norm: () => {
      network.batchMoments({ x: y, rows, channels });
      network.batchNorm({ ...normal, out: z });
      network.batchNormGradient({ ...normal, dy, dx });
    },
  };
}

const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1];

for (const shape of SHAPES) {
  const kinds = [false, true].map((prepared) => Array.from({ length: SETS }, () => passes(shape, prepared)));
  const names = Object.keys(kinds[0][0]);
  const times = kinds.map(() => names.map((): number[] => []));
  for (let round = 0; round < rounds + WARM; round++) {
    for (const kind of round % 2 ? [1, 0] : [0, 1]) {
      for (const [i, name] of names.entries()) {
        const start = performance.now();
        kinds[kind][round % SETS][name]();
        if (round >= WARM) times[kind][i].push(performance.now() - start);
      }
    }
  }
  const figures = names.map((name, i) => {
    const [plain, prepared] = times.map((each) => median(each[i]));
    return `${name} ${plain.toFixed(2)} ${prepared.toFixed(2)} ${(plain / prepared).toFixed(2)}x`;
  });
  const [batch, side, channels, size] = shape;
  const megabytes = (batch * side ** 2 * channels * 4) / 1e6;
  console.log(
    `${batch} x ${side}x${side}x${channels}, ${size}x${size}, ${megabytes.toFixed(1)} MB: ${figures.join(', ')}`,
  );
}
