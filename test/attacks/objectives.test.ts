import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { attackContext, objective } from '../../src/attacks/index.js';
import { randomStream } from '../../src/random.js';

const LABELS = Int32Array.of(0, 1, 2, 0, 1, 2, 0);
const DIMENSIONS = 3;

/** Unit rows and their centroids as plain numbers, to compute every formula again in double precision. */
function example(seed: number) {
  const random = randomStream(seed, 'objectives');
  const unit = () => {
    const row = Array.from({ length: DIMENSIONS }, () => random.normal());
    return row.map((x) => x / Math.hypot(...row));
  };
  const rows = () => Array.from(LABELS, unit);
  const [clean, moved] = [rows(), rows()];
  const centroids = [0, 1, 2].map((c) => {
    const own = clean.filter((_, i) => LABELS[i] === c);
    return own[0].map((_, j) => own.reduce((sum, row) => sum + row[j], 0) / own.length);
  });
  return { clean, moved, centroids };
}

const { clean, moved, centroids } = example(3);
const squared = (a: number[], b: number[]) => a.reduce((sum, x, j) => sum + (x - b[j]) ** 2, 0);
const dot = (a: number[], b: number[]) => a.reduce((sum, x, j) => sum + x * b[j], 0);

function values(name: string): number[] {
  return tf.tidy(() => {
    const inputs = { clean: () => tf.tensor2d(clean), labels: LABELS, centroids: tf.tensor2d(centroids) };
    const bound = objective(name).bind({ ...inputs, random: randomStream(1) });
    return Array.from(bound(tf.tensor2d(moved)).dataSync());
  });
}

const expectClose = (actual: number[], expected: number[]) => {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i], 4);
};

beforeAll(() => tf.setBackend('cpu'));

describe('objectives, against their formulas in double precision', () => {
  it('embedding-shift', () =>
    expectClose(
      values('embedding-shift'),
      moved.map((row, i) => squared(row, clean[i])),
    ));

  it('centroid-margin', () => {
    const margin = moved.map((row, i) => {
      const distances = centroids.map((centroid) => squared(row, centroid));
      return distances[LABELS[i]] - Math.min(...distances.filter((_, c) => c !== LABELS[i]));
    });
    expectClose(values('centroid-margin'), margin);
  });

  it('proxy', () => {
    const log1pExp = (z: number) => (z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)));
    const loss = moved.map((row, i) =>
      centroids.reduce((sum, centroid, c) => {
        const s = dot(row, centroid) / Math.hypot(...centroid);
        return sum + (c === LABELS[i] ? log1pExp(-32 * (s - 0.1)) : log1pExp(32 * (s + 0.1)) / centroids.length);
      }, 0),
    );
    for (const [i, value] of values('proxy').entries()) expect(Math.abs(value / loss[i] - 1)).toBeLessThan(1e-4);
  });

  it('joint-pairwise', () => {
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    const joint = moved.map((row, i) => {
      const to = (wanted: (j: number) => boolean) =>
        moved.filter((_, j) => j !== i && wanted(j)).map((r) => squared(row, r));
      return mean(to((j) => LABELS[j] === LABELS[i])) - mean(to((j) => LABELS[j] !== LABELS[i]));
    });
    expectClose(values('joint-pairwise'), joint);
  });

  /** Σ_i (mean over the own class - mean over the others) of squared distances, of `rows` under `labels`. */
  const jointValue = (rows: number[][], labels: number[]) =>
    rows.reduce((sum, row, i) => {
      const to = (wanted: (j: number) => boolean) => {
        const found = rows.filter((_, j) => j !== i && wanted(j)).map((other) => squared(row, other));
        return found.length === 0 ? 0 : found.reduce((a, b) => a + b, 0) / found.length;
      };
      return sum + to((j) => labels[j] === labels[i]) - to((j) => labels[j] !== labels[i]);
    }, 0);

  it('joint-set: all pairs of batch and rest, from the sums of the classes', () => {
    expectClose(values('joint-set'), [jointValue(moved, [...LABELS])]);
    const sums = [0, 1, 2].map((c) =>
      [0, 1, 2].map((d) => clean.filter((_, i) => LABELS[i] === c).reduce((a, row) => a + row[d], 0)),
    );
    const inputs = { clean: () => tf.tensor2d(clean), labels: LABELS, centroids: tf.tensor2d(centroids) };
    const rest = { sums: tf.tensor2d(sums), counts: Int32Array.of(3, 2, 2) };
    const bound = objective('joint-set').bind({ ...inputs, rest, random: randomStream(1) });
    const all = jointValue([...moved, ...clean], [...LABELS, ...LABELS]);
    expectClose(Array.from(bound(tf.tensor2d(moved)).dataSync()), [all]);
  });

  it('soft-kmeans: minus the mutual information after five soft iterations, at a tenth of the spread', () => {
    let centres = centroids;
    const middle = clean[0].map((_, d) => clean.reduce((sum, row) => sum + row[d], 0) / clean.length);
    const temperature = (0.1 * clean.reduce((sum, row) => sum + squared(row, middle), 0)) / clean.length;
    const shares = () =>
      moved.map((row) => {
        const e = centres.map((centre) => Math.exp(-squared(row, centre) / temperature));
        return e.map((x) => x / e.reduce((a, b) => a + b, 0));
      });
    for (let t = 0; t < 5; t++) {
      const r = shares();
      centres = centres.map((_, j) => {
        const weight = r.reduce((sum, row) => sum + row[j], 0);
        return [0, 1, 2].map((d) => moved.reduce((sum, row, i) => sum + r[i][j] * row[d], 0) / weight);
      });
    }
    const r = shares();
    const joint = [0, 1, 2].map((y) =>
      [0, 1, 2].map((j) => r.reduce((sum, row, i) => sum + (LABELS[i] === y ? row[j] : 0), 0) / LABELS.length),
    );
    const ofClass = joint.map((row) => row.reduce((a, b) => a + b, 0));
    const ofCluster = [0, 1, 2].map((j) => joint.reduce((sum, row) => sum + row[j], 0));
    const information = joint.flatMap((row, y) => row.map((p, j) => p * Math.log(p / (ofClass[y] * ofCluster[j]))));
    expectClose(values('soft-kmeans'), [-information.reduce((a, b) => a + b, 0)]);
  });

  it('retrieval: softly the nearest of other classes less the nearest of the own, the own image left out', () => {
    const self = Int32Array.from(LABELS.keys());
    const found = tf.tidy(() => {
      const gallery = { embeddings: tf.tensor2d(clean), labels: LABELS, self };
      const inputs = { clean: () => tf.tensor2d(clean), labels: LABELS, gallery, random: randomStream(1) };
      return Array.from(objective('retrieval').bind(inputs)(tf.tensor2d(moved)).dataSync());
    });
    const soft = (values: number[]) => Math.log(values.reduce((sum, s) => sum + Math.exp(50 * s), 0)) / 50;
    const expected = moved.map((row, i) => {
      const to = (wanted: (j: number) => boolean) => soft(clean.filter((_, j) => wanted(j)).map((r) => dot(row, r)));
      return to((j) => LABELS[j] !== LABELS[i]) - to((j) => j !== i && LABELS[j] === LABELS[i]);
    });
    expectClose(found, expected);
  });

  it('retrieval towards one of several classes as near: the one whose images are there first', () => {
    const labels = Int32Array.of(7, 3, 5, 3, 7, 9);
    // Of class 3 the second image is as near as the first of class 5 and the second of class 7; class 9 is farther.
    const rows = tf.tensor2d([0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0.6, 0.8], [6, 2]);
    const gallery = { embeddings: rows, labels, self: Int32Array.of(-1) };
    // Seen from where each image of the gallery has a similarity of its own to the attacked one.
    const gap = (towards: number, label = 9) =>
      tf.tidy(() => {
        const inputs = { clean: () => tf.tensor2d([[1, 0]]), labels: Int32Array.of(label), gallery };
        return objective('retrieval', { towards })
          .bind({ ...inputs, random: randomStream(1) })(tf.tensor2d([[0.28, 0.96]]))
          .dataSync()[0];
      });
    const own = 0.28 * 0.6 + 0.96 * 0.8;
    // Classes 7 and 3 have an image at (0, 1); class 5, which comes last, has none.
    expect([1, 2, 3, 4].map((towards) => gap(towards) + own)).toEqual(
      [0.96, 0.96, 0.28, 0.96].map((s) => expect.closeTo(s, 5)),
    );
    // To an image of a class that the gallery has none of all four are others: class 9 is the fourth.
    const foreign = [1, 2, 3, 4, 5].map((towards) => gap(towards, 4));
    expect(foreign.map((found) => found - foreign[0])).toEqual(
      [0, 0, -0.68, -0.024, 0].map((s) => expect.closeTo(s, 2)),
    );
    rows.dispose();
  });

  it('retrieval towards the nearest, second nearest, ... other class: its images alone count as others', () => {
    // Two other classes: the third count begins anew.
    const own = (i: number, j: number) => j !== i && LABELS[j] === LABELS[i];
    const order = clean.map((row, i) => {
      const others = [0, 1, 2].filter((c) => c !== LABELS[i]);
      const nearest = (c: number) => Math.max(...clean.filter((_, j) => LABELS[j] === c).map((r) => dot(row, r)));
      return others.sort((a, b) => nearest(b) - nearest(a));
    });
    const soft = (values: number[]) => Math.log(values.reduce((sum, s) => sum + Math.exp(50 * s), 0)) / 50;
    for (const towards of [1, 2, 3]) {
      const found = tf.tidy(() => {
        const gallery = { embeddings: tf.tensor2d(clean), labels: LABELS, self: Int32Array.from(LABELS.keys()) };
        const inputs = { clean: () => tf.tensor2d(clean), labels: LABELS, gallery, random: randomStream(1) };
        return Array.from(objective('retrieval', { towards }).bind(inputs)(tf.tensor2d(moved)).dataSync());
      });
      const expected = moved.map((row, i) => {
        const to = (wanted: (j: number) => boolean) => soft(clean.filter((_, j) => wanted(j)).map((r) => dot(row, r)));
        return to((j) => LABELS[j] === order[i][(towards - 1) % 2]) - to((j) => own(i, j));
      });
      expectClose(found, expected);
    }
    expect(order.map(([first]) => first)).not.toEqual(order.map(() => order[0][0]));
  });

  it('soft-kmeans is blind to a renaming of clusters', () => {
    const at = (rows: number[][]) =>
      tf.tidy(() => {
        const inputs = { clean: () => tf.tensor2d(clean), labels: LABELS, centroids: tf.tensor2d(centroids) };
        return objective('soft-kmeans')
          .bind({ ...inputs, random: randomStream(1) })(tf.tensor2d(rows))
          .dataSync()[0];
      });
    const home = Array.from(LABELS, (c) => centroids[c].map((x) => x / Math.hypot(...centroids[c])));
    const swapped = Array.from(LABELS, (c) => home[[...LABELS].indexOf((c + 1) % 3)]);
    expect(at(swapped)).toBeCloseTo(at(home), 3);
  });

  it('centroid-random-target: each value belongs to another class, and targets vary', () => {
    const targets = values('centroid-random-target').map((value, i) => {
      const distances = centroids.map((centroid) => Math.abs(squared(moved[i], centroid) + value));
      return distances.indexOf(Math.min(...distances));
    });
    for (const [i, target] of targets.entries()) expect(target).not.toBe(LABELS[i]);
    expect(new Set(targets).size).toBeGreaterThan(1);
  });

  it('joint-pairwise has no NaN where a class has one sample or there is one class only', () => {
    for (const labels of [Int32Array.of(0, 1, 2), Int32Array.of(5, 5, 5)]) {
      const bound = objective('joint-pairwise').bind({
        clean: () => tf.zeros([3, 3]),
        labels,
        random: randomStream(1),
      });
      expect(Array.from(bound(tf.tensor2d(moved.slice(0, 3))).dataSync()).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('attackContext', () => {
  it('numbers classes in ascending order of label and gives their means', async () => {
    const embeddings = { data: Float32Array.from(clean.flat()), rows: clean.length, cols: DIMENSIONS };
    const context = await attackContext(
      embeddings,
      LABELS.map((label) => 100 - 10 * label),
    );
    expect(Array.from(context.labels)).toEqual(Array.from(LABELS, (label) => 2 - label));
    expectClose(Array.from(context.centroids.dataSync()), [...centroids].reverse().flat());
    context.centroids.dispose();
  });

  it('refuses labels of another length', async () => {
    const embeddings = { data: new Float32Array(6), rows: 2, cols: 3 };
    await expect(attackContext(embeddings, [1])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
