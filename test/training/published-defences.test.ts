import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { objective, pgd, runAttack } from '../../src/attacks/index.js';
import type { MetricLoss } from '../../src/losses/index.js';
import {
  act,
  adp,
  type Crafted,
  dverge,
  est,
  gal,
  hm,
  type Method,
  type TrainingStep,
  trades,
} from '../../src/training/index.js';
import { tripletLoss } from '../../src/training/triplets.js';
import {
  crossEntropy,
  describePublished,
  gap,
  golden,
  linear,
  matrix,
  mlp,
  rowsOf,
  type Shape,
  tensorOfImages,
  waveImages,
} from '../attacks/published.js';

interface Case {
  margin: number;
  what: string;
  value: number;
  gradients: number[][][];
}
type Rows = number[][];
const goldens = golden<{
  triplets: Record<'anchors' | 'positives' | 'negatives' | 'attackedAnchors', Rows> & { cases: Case[] };
  hm: { previousLoss: number; wanted: number; triplets: Rows; losses: number[]; iterates: Rows[] }[];
  act: { triplets: Rows; losses: number[]; iterates: Rows[]; trainingLoss: number };
  est: { losses: number[]; iterates: Rows[] };
  trades: {
    natural: Rows;
    attacked: Rows;
    labels: number[];
    crossEntropy: number;
    divergence: number;
    lossAtBeta6: number;
    scaleGradient: number[];
  };
  gal: { shifts: number[]; labels: number[]; gradients: Rows[]; cosines: Rows; coherence: number }[];
  adp: { spread: number; labels: number[]; entropy: number; logDeterminant: number; logDeterminantGradient: Rows[] }[];
  dverge: { momentum: boolean; losses: number[]; iterates: Rows[] }[];
}>('defences');
const official =
  golden<{ spread: number; labels: number[]; entropy: number[]; logDeterminant: number[] }[]>('adp-official');

const nothing: MetricLoss = Object.assign(() => tf.scalar(0), { config: { name: 'nothing' } });
const meanCrossEntropy: MetricLoss = Object.assign(
  (logits: tf.Tensor2D, labels: tf.Tensor1D) =>
    tf.mean(crossEntropy(Array.from(labels.dataSync()))(logits)) as tf.Scalar,
  { config: { name: 'cross-entropy' } },
);

type Apply = (x: tf.Tensor4D) => tf.Tensor2D;

/** A step of networks that are functions, all of which learn from all images. */
function stepOf(applies: Apply[], images: tf.Tensor4D, labels: number[], more: Partial<TrainingStep> = {}) {
  const width = tf.tidy(() => applies[0](images).shape[1]);
  const embedder = (apply: Apply) => ({
    ...{ inputShape: images.shape.slice(1) as [number, number, number], embedding: width, apply },
    ...{ variables: () => [], weights: new Map(), dispose: () => {} },
  });
  // Proxies along the axes: the logits of proxyLogits are 16 times the embedding.
  const proxies = tf.tensor2d(matrix(width, width, (a, b) => (a === b ? 1 : 0))) as unknown as tf.Variable;
  const rows = applies.map(() => Int32Array.from(labels.keys()));
  const members = applies.map((apply) => ({ embedder: embedder(apply), proxies }));
  const fixed = { members, images, labels: Int32Array.from(labels), rows, loss: nothing, seed: 1, step: 0 };
  return { ...fixed, ...more } as TrainingStep;
}

const lossOf = (method: Method, step: TrainingStep, crafted: Crafted, member = 0) =>
  method.memberLoss({ ...crafted, step, member, labels: tf.tensor1d(Array.from(step.labels), 'int32') });

const SMALL: Shape = [2, 2, 1];
const small = waveImages(20, SMALL);
const still = { randomStart: false, keep: 'last' } as const;

/** The iterates 1, 2, ... of what a method crafts with that many steps: `pick` of what it crafted. */
function iterates(count: number, crafted: (steps: number) => tf.Tensor, rows: number[]): Rows[] {
  return Array.from({ length: count }, (_, i) => {
    const made = tf.tidy(() => rowsOf(crafted(i + 1)));
    return rows.map((row) => made[row]);
  });
}

describePublished('triplets', () => {
  it.each(goldens.triplets.cases)('$what, margin $margin', ({ what, margin, value, gradients }) => {
    const { anchors, positives, negatives, attackedAnchors } = goldens.triplets;
    const rows = what === 'ics' ? [anchors, attackedAnchors, positives] : [anchors, positives, negatives];
    const loss = (...of: tf.Tensor[]) => {
      const [a, p, n] = of as tf.Tensor2D[];
      return tripletLoss(a, p, n, margin);
    };
    const { value: found, grads } = tf.valueAndGrads(loss)(rows.map((list) => tf.tensor2d(list)));
    expect(gap(found.dataSync()[0], value)).toBeLessThan(2e-6);
    expect(
      gap(
        grads.map((g) => g.arraySync()),
        gradients,
      ),
    ).toBeLessThan(5e-6);
  });
});

describePublished('hm', () => {
  const x = [0, 11, 3, 14, 6, 17].map((i) => small[i]);

  it.each(goldens.hm)('after a loss of $previousLoss', ({ previousLoss, triplets: [a, p, n], iterates: published }) => {
    // One triplet a time: in a batch of one pair of a class and one other the first row's is drawn so.
    a.forEach((_, t) => {
      const images = tensorOfImages([x[a[t]], x[p[t]], x[n[t]]], SMALL);
      const step = stepOf([linear], images, [0, 0, 1], { memory: [previousLoss] });
      const crafted = (steps: number) =>
        hm({ margin: 0.2, attack: { epsilon: 0.1, stepSize: 0.02, steps, ...still } }).craft(step)[0].extra!.triplets;
      const rows = iterates(published.length - 1, crafted, [0, 3, 6]);
      rows.forEach((row, i) => {
        const expected = [0, 1, 2].map((part) => published[i + 1][part * 3 + t]);
        expect(gap(row, expected), `triplet ${t}, step ${i + 1}`).toBeLessThan(2e-6);
      });
    });
  });

  it('takes its goal from the attacked triplets of the step before, without the structure; the first from a loss of 2', () => {
    const labels = [0, 0, 1];
    const images = tensorOfImages([x[0], x[2], x[4]], SMALL);
    const method = hm({ margin: 0.2, ics: 3, attack: { epsilon: 0.1, stepSize: 0.02, steps: 4, ...still } });
    const memory: (number | null)[] = [];
    const step = stepOf([linear], images, labels, { memory });
    const first = method.craft(step)[0];
    const easiest = method.craft({ ...step, memory: [2] })[0];
    const hardest = method.craft({ ...step, memory: [0] })[0];
    expect(gap(rowsOf(first.extra!.triplets), rowsOf(easiest.extra!.triplets))).toBe(0);
    expect(gap(rowsOf(first.extra!.triplets), rowsOf(hardest.extra!.triplets))).toBeGreaterThan(0.01);
    lossOf(method, step, hardest);
    const [a, p, n] = tf.split(linear(hardest.extra!.triplets), 3) as tf.Tensor2D[];
    expect(memory[0]).toBeCloseTo(tripletLoss(a, p, n, 0.2).dataSync()[0], 6);
    expect(memory[0]).toBeGreaterThan(0.1);
  });
});

describePublished('act', () => {
  const x = small.slice(0, 6);
  const { triplets, iterates: published, trainingLoss } = goldens.act;
  const [a, p, n] = triplets;

  it('draws positives and negatives together', () => {
    a.forEach((_, t) => {
      const step = stepOf([linear], tensorOfImages([x[a[t]], x[p[t]], x[n[t]]], SMALL), [0, 0, 1]);
      const crafted = (steps: number) =>
        act({ attack: { epsilon: 0.1, stepSize: 0.02, steps, ...still } }).craft(step)[0].extra!.pairs;
      iterates(published.length - 1, crafted, [0, 3]).forEach((row, i) => {
        expect(gap(row, [published[i + 1][t], published[i + 1][t + 3]]), `${t}, step ${i + 1}`).toBeLessThan(2e-6);
      });
    });
  });

  it('tells them apart from clean anchors', () => {
    const step = stepOf([linear], tensorOfImages(x, SMALL), [0, 0, 0, 0, 0, 0]);
    const extra = { pairs: tensorOfImages(published.at(-1)!, SMALL), anchors: tf.tensor1d(a, 'int32') };
    const value = lossOf(act({ margin: 0.2, attack: { epsilon: 0.1 } }), step, { images: step.images, extra });
    expect(gap(value.dataSync()[0], trainingLoss)).toBeLessThan(5e-6);
  });
});

describePublished('est', () => {
  it('shifts embeddings from iterate 1 on, to which theirs goes by noise', () => {
    const [, first, ...published] = goldens.est.iterates;
    const step = stepOf([linear], tensorOfImages(small.slice(0, 4), SMALL), [0, 1, 2, 3]);
    const start = tensorOfImages(first, SMALL);
    published.forEach((expected, i) => {
      const settings = pgd({ epsilon: 0.1, stepSize: 0.02, steps: i + 1, ...still });
      const goal = objective('embedding-shift');
      const run = { model: step.members[0].embedder, images: step.images, objective: goal, settings, start, seed: 1 };
      expect(gap(rowsOf(runAttack(run)), expected), `step ${i + 2}`).toBeLessThan(2e-6);
    });
    expect(est({ attack: { epsilon: 0.1 } }).config.name).toBe('est');
  });
});

describePublished('trades', () => {
  const { natural, attacked, divergence, scaleGradient } = goldens.trades;
  /** Images are the logits. */
  const at = (rows: Rows) => tf.tensor4d(rows.flat(), [4, 1, 1, 5]);

  it('adds beta times the divergence, which both ends feel', () => {
    const loss = (scale: tf.Tensor) => {
      const apply: Apply = (x) => tf.mul(tf.reshape(x, [4, 5]), tf.div(tf.add(scale, 1), 16)) as tf.Tensor2D;
      const step = stepOf([apply], at(natural), [0, 3, 1, 4]);
      return lossOf(trades({ beta: 6, attack: { epsilon: 0.1 } }), step, {
        images: at(attacked),
        extra: { clean: at(natural) },
      });
    };
    const { value, grad } = tf.valueAndGrad(loss)(tf.zeros([5]));
    expect(gap(value.dataSync()[0], 6 * divergence)).toBeLessThan(3e-5);
    expect(
      gap(
        Array.from(grad.dataSync()),
        scaleGradient.map((g) => 6 * g),
      ),
    ).toBeLessThan(3e-5);
  });
});

describePublished('adp', () => {
  const logits = (spread: number) =>
    [0, 1, 2].map((i) =>
      matrix(4, 10, (s, c) => 2 * Math.sin(1 + 2 * s + 3 * c) + spread * Math.sin(i + s + 2 * c + i * c)),
    );
  /** The loss as a function of the first member's logits. */
  const lossAt = (spread: number, labels: number[], alpha: number, beta: number) => (own: tf.Tensor) => {
    const rest = logits(spread).slice(1);
    const applies: Apply[] = [() => tf.div(own as tf.Tensor2D, 16), ...rest.map((rows) => () => tf.div(tf.tensor2d(rows), 16) as tf.Tensor2D)]; // biome-ignore format: one list
    const images = tf.zeros([4, 1, 1, 1]) as tf.Tensor4D;
    return lossOf(adp({ members: 3, alpha, beta }), stepOf(applies, images, labels), { images });
  };

  it.each(goldens.adp)('members $spread apart', ({ spread, labels, entropy, logDeterminant, ...of }) => {
    const own = tf.tensor2d(logits(spread)[0]);
    expect(gap(-lossAt(spread, labels, 1, 0)(own).dataSync()[0], entropy)).toBeLessThan(5e-6);
    const { value, grad } = tf.valueAndGrad(lossAt(spread, labels, 0, 1))(own);
    expect(gap(-value.dataSync()[0], logDeterminant)).toBeLessThan(2e-3);
    const published = of.logDeterminantGradient[0];
    const largest = published.flat().reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    expect(gap(tf.neg(grad).arraySync(), published)).toBeLessThan(2e-3 * largest);
  });

  it.each(official)(
    'members $spread apart, as the first code has it',
    ({ spread, labels, entropy, logDeterminant }) => {
      const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
      const own = tf.tensor2d(logits(spread)[0]);
      expect(gap(-lossAt(spread, labels, 1, 0)(own).dataSync()[0], mean(entropy))).toBeLessThan(1e-5);
      // Single precision has few digits left of the determinant of nearly parallel rows.
      const digits = spread > 0.01 ? 0.02 : 0.1;
      expect(gap(-lossAt(spread, labels, 0, 1)(own).dataSync()[0], mean(logDeterminant))).toBeLessThan(digits);
    },
  );
});

describePublished('gal', () => {
  const images = () => tensorOfImages(waveImages(4, [4, 4, 1]), [4, 4, 1]);

  it.each(goldens.gal)('members shifted by $shifts', ({ shifts, labels, coherence }) => {
    const members = shifts.length;
    const step = stepOf(
      shifts.map((shift) => mlp(16, { shift })),
      images(),
      labels,
      { loss: meanCrossEntropy },
    );
    const method = gal({ members, lambda: 0.5 });
    const crafted = method.craft(step);
    crafted.forEach((given, i) => {
      const loss = lossOf(method, step, given, i).dataSync()[0];
      const plain = lossOf(gal({ members, lambda: 0 }), step, given, i).dataSync()[0];
      expect(gap(given.extra!.alignment.dataSync()[0], coherence)).toBeLessThan(5e-6);
      expect(gap(loss - plain, 0.5 * members * coherence)).toBeLessThan(2e-5);
    });
  });

  it.each(goldens.gal)('members shifted by $shifts are turned as the alignment says', ({ shifts, labels }) => {
    // By a factor of one member's logits per class; the others stand. tfjs has no second derivative of logSoftmax.
    const applies = (scale: tf.Tensor) =>
      shifts.map((shift, i): Apply => {
        const network = mlp(16, { shift });
        return (x) => (i === 0 ? (tf.mul(network(x), tf.add(scale, 1)) as tf.Tensor2D) : network(x));
      });
    const alignmentAt = (scale: tf.Tensor) => {
      const gradients = applies(scale).map((apply) => {
        const loss = (x: tf.Tensor) => tf.mean(crossEntropy(labels)(apply(x as tf.Tensor4D)));
        const g = tf.reshape(tf.grad(loss)(images()), [4, 16]);
        return tf.div(g, tf.sqrt(tf.sum(tf.square(g), 1, true)));
      });
      const cosines = gradients.flatMap((g, i) => gradients.slice(i + 1).map((h) => tf.sum(tf.mul(g, h), 1)));
      return tf.mean(tf.logSumExp(tf.stack(cosines, 1), 1));
    };
    const members = shifts.length;
    const stepAt = (scale: tf.Tensor) => stepOf(applies(scale), images(), labels, { loss: meanCrossEntropy });
    const [given] = gal({ members }).craft(stepAt(tf.zeros([3])));
    const ours = (lambda: number) => (scale: tf.Tensor) => lossOf(gal({ members, lambda }), stepAt(scale), given);
    const at = tf.zeros([3]);
    const turned = Array.from(tf.sub(tf.grad(ours(1))(at), tf.grad(ours(0))(at)).dataSync());
    const expected = [0, 1, 2].map((c) => {
      const [up, down] = [0.01, -0.01].map((by) => alignmentAt(tf.tensor1d([0, 1, 2].map((k) => (k === c ? by : 0)))));
      return (members * tf.sub(up, down).dataSync()[0]) / 0.02;
    });
    const size = Math.max(...expected.map(Math.abs));
    expect(size).toBeGreaterThan(0.01);
    expect(gap(turned, expected)).toBeLessThan(0.01 * size);
  });
});

describePublished('dverge', () => {
  it('distils with momentum towards another image', () => {
    const { iterates: published } = goldens.dverge.find(({ momentum }) => momentum)!;
    const [source, target] = [1, 50].map((first) => waveImages(2, [4, 4, 1], { first }));
    [0, 1].forEach((i) => {
      // Of two images each is the other's target.
      const images = tensorOfImages([source[i], target[i]], [4, 4, 1]);
      const step = stepOf([mlp(16), mlp(16)], images, [0, 1]);
      const crafted = (steps: number) =>
        dverge({ members: 2, attack: { epsilon: 0.07, stepSize: 0.007, steps, ...still } }).craft(step)[0].images;
      iterates(published.length - 1, crafted, [0]).forEach(([row], t) => {
        expect(gap(row, published[t + 1][i]), `image ${i}, step ${t + 1}`).toBeLessThan(2e-6);
      });
    });
  });

  it('never takes an image for its own target', () => {
    const images = tensorOfImages(waveImages(5, [4, 4, 1]), [4, 4, 1]);
    for (let t = 0; t < 30; t++) {
      const step = stepOf([mlp(16), mlp(16)], images, [0, 1, 2, 3, 4], { step: t });
      const attack = { epsilon: 0.07, stepSize: 0.007, steps: 1, ...still };
      const [{ images: made }] = tf.tidy(() => dverge({ members: 2, attack }).craft(step) as never) as Crafted[];
      const moved = tf.sum(tf.abs(tf.sub(made, images)), [1, 2, 3]).arraySync() as number[];
      for (const way of moved) expect(way).toBeGreaterThan(0.05);
    }
  });
});
