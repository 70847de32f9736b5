import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { square } from '../../src/attacks/index.js';
import { squareSearch, squareSide } from '../../src/attacks/rules/square.js';
import { pyramids } from '../../src/attacks/rules/square-l2.js';
import { randomStream } from '../../src/random.js';
import {
  describePublished,
  gap,
  golden,
  matrix,
  mlp,
  rowsOf,
  type Shape,
  tensorOfImages,
  waveImages,
} from './published.js';

type Corner = { top: number; left: number };
type Tile = { transposed: number; signs: number[] };
type Draw = Corner & Tile & { side: number; into: Corner; from: Corner };

interface Run {
  norm: 'linf' | 'l2';
  epsilon: number;
  queries: number;
  p: number;
  shape: Shape;
  middle: number;
  swing: number;
  label: number;
  first: { signs: number[]; tiles: Tile[] };
  draws: Draw[];
  values: number[];
  accepted: number[];
  start: number[];
  tried: number[][];
  final: number[];
  length: number;
}

const goldens = golden<{
  halvings: Record<string, [number, number][]>;
  windows: { norm: 'linf' | 'l2'; queries: number; p: number; shape: Shape; sides: [number, number][] }[];
  pyramids: Record<string, number[][]>;
  runs: Run[];
}>('square');

/** Where a list of [first step, value] stands at a step. */
const at = (list: [number, number][], step: number) => list.filter(([first]) => first <= step).at(-1)![1];

/** What the search draws, in its order, so that it makes the published choices; a coin is heads below a half. */
function drawsOf({ norm, shape: [, w, c], first, draws }: Run): number[] {
  const coin = (heads: boolean) => (heads ? 0.25 : 0.75);
  const signs = (list: number[]) => list.map((sign) => coin(sign < 0));
  const tile = ({ transposed, signs: list }: Tile) => [coin(transposed === 1), ...signs(list)];
  if (norm === 'linf') {
    const stripes = Array.from({ length: w * c }, (_, i) => first.signs[(i % c) * w + Math.floor(i / c)]);
    return [...signs(stripes), ...draws.flatMap((draw) => [draw.top, draw.left, ...signs(draw.signs)])];
  }
  const moves = draws.flatMap((draw) => [draw.into.top, draw.into.left, draw.from.top, draw.from.left, ...tile(draw)]);
  return [...first.tiles.flatMap(tile), ...moves];
}

function replay(run: Run) {
  const { norm, epsilon, queries, p, shape, middle, swing, label } = run;
  const draws = drawsOf(run);
  const next = () => draws.shift()!;
  const [points, values]: [number[][], number[]] = [[], []];
  const bias = tf.tensor1d([0, 1, 2].map((j) => (j === label ? 5 : 0)));
  const own = tf.tensor1d([0, 1, 2].map((j) => (j === label ? 1 : 0)));
  const ascent = {
    images: tensorOfImages(waveImages(1, shape, { middle, swing }), shape),
    start: tf.zeros([1, ...shape]) as tf.Tensor4D,
    ...{ startGiven: false, joint: false, objective: 'published' },
    random: { ...randomStream(1), uniform: next, integer: next },
    values(x: tf.Tensor4D) {
      points.push(rowsOf(x)[0]);
      const logits = tf.add(mlp(x.size, { gain: 0.15 })(x), bias);
      const others = tf.max(tf.sub(logits, tf.mul(own, 1e6)), 1);
      const value = tf.sub<tf.Tensor1D>(others, tf.sum(tf.mul(logits, own), 1));
      values.push(value.dataSync()[0]);
      return value;
    },
  };
  const final = tf.tidy(
    () => rowsOf(squareSearch(ascent, square({ norm, epsilon, steps: queries, share: p })).images)[0],
  );
  return { points, values, final, left: draws.length };
}

describePublished('square', () => {
  it.each(goldens.runs)('$norm, the first squares $p of the image, swing $swing', (run) => {
    const { points, values, final, left } = replay(run);
    expect(left).toBe(0);
    expect(gap(points[0], run.start)).toBeLessThan(2e-6);
    run.tried.forEach((tried, i) => void expect(gap(points[i + 1], tried), `query ${i}`).toBeLessThan(2e-6));
    expect(gap(values, run.values)).toBeLessThan(2e-5);
    expect(gap(final, run.final)).toBeLessThan(5e-6);
    const clean = waveImages(1, run.shape, { middle: run.middle, swing: run.swing })[0];
    expect(Math.hypot(...final.map((v, k) => v - clean[k]))).toBeCloseTo(run.length, 5);
  });
});

it.each(goldens.windows)(
  '$norm, $queries queries, $p of $shape: windows as published',
  ({ norm, queries, p, shape, sides }) => {
    const settings = square({ norm, epsilon: 0.1, steps: queries, share: p });
    for (let step = 0; step < queries; step++) {
      expect(squareSide(settings, step, shape[0], shape[1]), `step ${step}`).toBe(at(sides, step));
    }
  },
);

it.each(Object.entries(goldens.halvings))('in %s queries the share halves when published', (queries, list) => {
  // So large that every halving shows in the side.
  const [size, steps] = [4096, Number(queries)];
  const settings = square({ epsilon: 0.1, steps, share: 1 });
  for (let step = 0; step < steps; step++) {
    const side = Math.min(Math.round(Math.sqrt(size ** 2 / 2 ** at(list, step))), size - 1);
    expect(squareSide(settings, step, size, size), `step ${step}`).toBe(side);
  }
});

it.each(Object.entries(goldens.pyramids))('pyramids of side %s', (side, rows) => {
  const n = Number(side);
  const values = pyramids(n, false);
  expect(gap(Array.from(values), rows)).toBeLessThan(1e-6);
  const across = matrix(n, n, (a, b) => rows[b][a]);
  expect(gap(Array.from(pyramids(n, true)), across)).toBeLessThan(1e-6);
});

it('windows of l2 fit small images: odd where there is room for 3', () => {
  const settings = square({ norm: 'l2', epsilon: 1, steps: 10, share: 1 });
  expect([1, 2, 3, 4, 5, 6].map((side) => squareSide(settings, 0, side, side))).toEqual([1, 2, 3, 3, 5, 5]);
  expect(squareSide(settings, 0, 4, 9)).toBe(3);
});
