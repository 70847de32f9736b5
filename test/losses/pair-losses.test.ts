import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { contrastive, multiSimilarity, ntXent, type PairLoss, tripletMargin } from '../../src/losses/index.js';
import { randomStream } from '../../src/random.js';
import { availableBackends } from '../models/backends.js';

interface Case {
  loss: string;
  embeddings: number[][];
  labels: number[];
  value: number;
  gradEmbeddings: number[][];
  [option: string]: unknown;
}

const goldens = JSON.parse(readFileSync(new URL('../goldens/losses.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};
const LOSSES: Record<string, (c: Case) => PairLoss> = {
  'triplet-all-avg-nonzero': (c) => tripletMargin({ margin: c.margin as number }),
  contrastive: (c) => contrastive({ positiveMargin: c.posMargin as number, negativeMargin: c.negMargin as number }),
  'multi-similarity': (c) =>
    multiSimilarity({ alpha: c.alpha as number, beta: c.beta as number, base: c.base as number }),
  'n-pairs-ntxent': (c) => ntXent({ temperature: c.temperature as number }),
};
const every: [string, PairLoss][] = [
  ['triplet', tripletMargin()],
  ['triplet semi-hard', tripletMargin({ mining: 'semi-hard' })],
  ['triplet distance-weighted', tripletMargin({ mining: 'distance-weighted' })],
  ['contrastive', contrastive()],
  ['multi-similarity', multiSimilarity()],
  ['multi-similarity mined', multiSimilarity({ mining: 0.1 })],
  ['nt-xent', ntXent()],
];

const valueAndGradient = (loss: PairLoss, rows: number[][], labels: number[]) =>
  tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad((e) => loss(e as tf.Tensor2D, tf.tensor1d(labels, 'int32')))(
      tf.tensor2d(rows),
    );
    return { value: value.dataSync()[0], gradient: Array.from(grad.dataSync()) };
  });

for (const backend of await availableBackends()) {
  describe(`pair losses on ${backend}`, () => {
    it.each(Object.keys(LOSSES))('%s reproduces value and gradient of its golden', async (name) => {
      await tf.setBackend(backend);
      const cases = goldens.cases.filter(({ loss }) => loss === name);
      expect(cases.length).toBeGreaterThan(0);
      const before = tf.memory().numTensors;
      for (const c of cases) {
        const { value, gradient } = valueAndGradient(LOSSES[name](c), c.embeddings, c.labels);
        expect(Math.abs(value / c.value - 1)).toBeLessThan(1e-4);
        const expected = c.gradEmbeddings.flat();
        const scale = Math.max(...expected.map(Math.abs));
        for (const [i, g] of gradient.entries()) expect(Math.abs(g - expected[i]) / scale).toBeLessThan(1e-4);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each(every)('%s is finite on equal rows, a zero row, one class and no pair', async (_, loss) => {
      await tf.setBackend(backend);
      const twice = [
        [1, 0, 0],
        [1, 0, 0],
        [0, 0, 0],
        [0, 1, 0],
      ];
      for (const labels of [
        [0, 0, 1, 1],
        [0, 1, 0, 1],
        [3, 3, 3, 3],
        [0, 1, 2, 3],
      ]) {
        const { value, gradient } = valueAndGradient(loss, twice, labels);
        expect([value, ...gradient].every(Number.isFinite)).toBe(true);
      }
    });
  });
}

it('rows a thousandth apart are that far for the losses, and are pulled together in full', () => {
  const near = [
    [1, 0],
    [Math.cos(1e-3), Math.sin(1e-3)],
  ];
  // Both ordered pairs have one value and one gradient, of length 1.
  const { value, gradient } = valueAndGradient(contrastive(), near, [0, 0]);
  expect(value / 1e-3).toBeCloseTo(1, 3);
  expect(Math.hypot(gradient[0], gradient[1])).toBeCloseTo(1, 3);
});

/** Random unit rows in `dim` dimensions and their distances, in double precision. */
function example(n: number, dim: number) {
  const random = randomStream(11, 'pairs');
  const rows = Array.from({ length: n }, () => {
    const row = Array.from({ length: dim }, () => random.normal());
    return row.map((x) => x / Math.hypot(...row));
  });
  const gap = (a: number, b: number) => Math.hypot(...rows[a].map((x, j) => x - rows[b][j]));
  const labels = rows.map((_, i) => i % 3);
  const triples = labels.flatMap((c, a) =>
    labels.flatMap((d, p) => (a === p || c !== d ? [] : labels.flatMap((e, n) => (e === c ? [] : [[a, p, n]])))),
  );
  return { rows, labels, gap, triples };
}

describe('miners, against plain loops', () => {
  const margin = 0.2;
  const { rows, labels, gap, triples } = example(12, 5);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  it('semi-hard: negatives just farther than the positive', () => {
    const kept = triples.filter(([a, p, n]) => gap(a, n) > gap(a, p) && gap(a, n) < gap(a, p) + margin);
    expect(kept.length).toBeGreaterThan(5);
    const expected = mean(kept.map(([a, p, n]) => gap(a, p) - gap(a, n) + margin));
    expect(valueAndGradient(tripletMargin({ margin, mining: 'semi-hard' }), rows, labels).value).toBeCloseTo(
      expected,
      4,
    );
  });

  it('distance-weighted: the expectation over the published sampling', () => {
    const weight = (d: number) => {
      if (d > 1.4) return 0;
      const near = Math.max(d, 0.5);
      return near ** -3 * (1 - near ** 2 / 4) ** -1;
    };
    const perPair = new Map<string, number>();
    for (const [a, p, n] of triples) {
      const all = labels.reduce((sum, c, j) => sum + (c === labels[a] ? 0 : weight(gap(a, j))), 0);
      const value = Math.max(0, gap(a, p) - gap(a, n) + margin) * (weight(gap(a, n)) / all);
      perPair.set(`${a} ${p}`, (perPair.get(`${a} ${p}`) ?? 0) + (all > 0 ? value : 0));
    }
    const expected = mean([...perPair.values()].filter((value) => value > 0));
    const mining = 'distance-weighted';
    expect(valueAndGradient(tripletMargin({ margin, mining }), rows, labels).value).toBeCloseTo(expected, 4);
  });

  // At 50 the most similar negatives are all that counts.
  it.each([50, 2])('multi-similarity: the informative pairs only, beta %i', (beta) => {
    const [alpha, base, slack] = [2, 0.5, 0.1];
    const s = (a: number, b: number) => rows[a].reduce((sum, x, j) => sum + x * rows[b][j], 0);
    const values = labels.map((c, a) => {
      const others = labels.map((_, j) => j).filter((j) => j !== a);
      const [positives, negatives] = [others.filter((j) => labels[j] === c), others.filter((j) => labels[j] !== c)];
      const least = Math.min(...positives.map((p) => s(a, p)));
      const most = Math.max(...negatives.map((n) => s(a, n)));
      const pull = positives.filter((p) => s(a, p) < most + slack).map((p) => Math.exp(-alpha * (s(a, p) - base)));
      const push = negatives.filter((n) => s(a, n) > least - slack).map((n) => Math.exp(beta * (s(a, n) - base)));
      const sum = (list: number[]) => list.reduce((x, y) => x + y, 0);
      return Math.log1p(sum(pull)) / alpha + Math.log1p(sum(push)) / beta;
    });
    const { value } = valueAndGradient(multiSimilarity({ beta, mining: slack }), rows, labels);
    expect(value).toBeCloseTo(mean(values), 4);
  });

  it.each([
    ['a negative margin', () => tripletMargin({ margin: -1 }), /margin/],
    ['an unknown miner', () => tripletMargin({ mining: 'hard' as never }), /semi-hard.*hard/],
    ['a margin that is no number', () => contrastive({ negativeMargin: Number.NaN }), /negativeMargin/],
    ['alpha 0', () => multiSimilarity({ alpha: 0 }), /alpha/],
    ['temperature 0', () => ntXent({ temperature: 0 }), /temperature/],
    ['labels of another length', () => ntXent()(tf.tensor2d(rows), tf.tensor1d([0])), /labels/],
    ['labels that are no integers', () => ntXent()(tf.tensor2d(rows), tf.tensor1d(rows.map(() => 0.5))), /labels\[0\]/],
    [
      'labels that float32 has rounded',
      () => ntXent()(tf.tensor2d(rows), tf.tensor1d(rows.map((_, i) => 2 ** 24 + i))),
      /below 2\^24.* labels\[0\]/,
    ],
  ])('refuse %s', (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(message) }));
  });
});
