import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { subset } from '../../src/data/index.js';
import { type EvaluationReport, evaluate, type Gathered } from '../../src/evaluation/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { standard, type TrainedEnsemble, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { briefAttacks, QUICKER } from './brief.js';
import { withoutChecks } from './without-checks.js';

withoutChecks();

const data = tinyImages();
const options = { allowSeen: true, backend: QUICKER, epsilon: 0.1, bootstrap: 0, clusterRestarts: 3 };
let ensemble: TrainedEnsemble;

beforeAll(async () => {
  const model = convEmbedder({ dimension: 4, width: 2 });
  const method = standard({ members: 2 });
  ensemble = await train({ data, model, method, epochs: 4, learningRate: 0.01, batch: { size: 12 }, backend: QUICKER });
});

afterAll(() => ensemble.dispose());

async function gathering(gather: number): Promise<{ report: EvaluationReport; gathered: Gathered }> {
  let gathered: Gathered | undefined;
  const onGathered = (told: Gathered) => {
    gathered = told;
  };
  const attacks = briefAttacks();
  const report = await evaluate(ensemble, data, { ...options, attacks, gather, onGathered });
  return { report, gathered: gathered! };
}

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
const rowOf = ({ data, cols }: { data: Float32Array; cols: number }, row: number) =>
  data.slice(row * cols, (row + 1) * cols);

describe('what a page shows beside a report', () => {
  let report: EvaluationReport;
  let gathered: Gathered;
  let plain: EvaluationReport;

  beforeAll(async () => {
    const before = tf.memory().numTensors;
    ({ report, gathered } = await gathering(data.length));
    expect(tf.memory().numTensors).toBe(before);
    plain = await evaluate(ensemble, data, { ...options, attacks: briefAttacks() });
  });

  test('changes nothing in the report', () => {
    const timeless = ({ seconds: _, attacks, ...rest }: EvaluationReport) => {
      return { ...rest, attacks: attacks.map(({ seconds: __, ...attack }) => attack) };
    };
    expect(timeless(report)).toEqual(timeless(plain));
  });

  test('is of the single attack that lowers NMI most', () => {
    const single = report.attacks.filter(({ name }) => name !== 'composite');
    const lowest = single.reduce((a, b) => (b.scores.nmi! < a.scores.nmi! ? b : a));
    expect(gathered.attack).toBe(lowest.name);
  });

  test('has the embeddings that the ensemble gives, clean and attacked', async () => {
    const clean = await ensemble.embed(data);
    for (const [i, sample] of gathered.samples.entries()) {
      expect(gathered.labels[i]).toBe(data.labels[sample]);
      expect(cosine(rowOf(gathered.clean.embeddings, i), rowOf(clean, sample))).toBeCloseTo(1, 5);
    }
    const same = gathered.samples.filter(
      (_, i) => cosine(rowOf(gathered.attacked.embeddings, i), rowOf(clean, i)) > 0.9999999,
    );
    expect(same.length).toBeLessThan(gathered.samples.length / 2);
  });

  test('counts every image of the set in its tables', () => {
    for (const table of [gathered.table.clean, gathered.table.attacked]) {
      expect(table.reduce((sum, { images }) => sum + images, 0)).toBe(data.length);
    }
    const [{ label, cluster, images }] = gathered.table.clean;
    const both = gathered.samples.filter(
      (_, i) => gathered.labels[i] === label && gathered.clean.clusters[i] === cluster,
    );
    expect(both).toHaveLength(images);
  });

  test('pictures those that moved most and those about the middle, within the radius', () => {
    const shifts = Array.from(gathered.samples, (_, i) => {
      return 1 - cosine(rowOf(gathered.clean.embeddings, i), rowOf(gathered.attacked.embeddings, i));
    }).sort((a, b) => b - a);
    const [worst, median] = (['worst', 'median'] as const).map((rank) =>
      gathered.pictures.filter((p) => p.rank === rank),
    );
    expect([worst.length, median.length]).toEqual([6, 6]);
    worst.forEach(({ shift }, i) => {
      expect(shift).toBeCloseTo(shifts[i], 5);
    });
    const [above, below] = [shifts.filter((s) => s > median[0].shift), shifts.filter((s) => s < median.at(-1)!.shift)];
    expect(Math.abs(above.length - below.length)).toBeLessThanOrEqual(1);
    for (const { clean, attacked, magnified, perturbation } of gathered.pictures) {
      const changes = attacked.data.map((value, i) => Math.abs(value - clean.data[i]));
      expect(Math.max(...changes)).toBeLessThanOrEqual(Math.round(0.1 * 255) + 1);
      expect(Math.max(...changes)).toBeGreaterThan(0);
      // Half of what bytes can show is the largest change there is.
      expect(magnified).toBeGreaterThanOrEqual(0.5 / 0.1 - 1e-3);
      expect([0, 255]).toContain(
        perturbation.data.reduce((a, b) => (Math.abs(b - 128) > Math.abs(a - 128) ? b : a), 128),
      );
    }
  });

  test('finds the nearest other clean image', async () => {
    const clean = await ensemble.embed(data);
    const nearest = (query: Float32Array, own: number) => {
      const near = Array.from({ length: data.length }, (_, row) =>
        row === own ? -2 : cosine(query, rowOf(clean, row)),
      );
      return data.labels[near.indexOf(near.reduce((a, b) => Math.max(a, b)))];
    };
    for (const { sample, label, found } of gathered.pictures) {
      const i = gathered.samples.indexOf(sample);
      expect(found.clean.label).toBe(nearest(rowOf(clean, sample), sample));
      expect(found.attacked.label).toBe(nearest(rowOf(gathered.attacked.embeddings, i), sample));
      expect(found.attacked.right).toBe(found.attacked.label === label);
    }
  });
});

test('names go along: of the classes measured into the report, of the images into what is gathered', async () => {
  const names = Array.from(data.labels, (label, i) => `${label}/${i}.png`);
  const named = { ...data, names, classNames: { 1: 'elsewhere', 10: 'ant', 12: '<b>bee</b>' } };
  let gathered: Gathered | undefined;
  const onGathered = (told: Gathered) => {
    gathered = told;
  };
  const attacks = briefAttacks().slice(0, 1);
  const report = await evaluate(ensemble, named, { ...options, attacks, gather: 9, onGathered });
  expect(JSON.parse(JSON.stringify(report)).classNames).toEqual({ 10: 'ant', 12: '<b>bee</b>' });
  expect(gathered!.names).toEqual(Array.from(gathered!.samples, (sample) => names[sample]));
  for (const { sample, name, found } of gathered!.pictures) {
    expect(name).toBe(names[sample]);
    expect(found.clean.name).toMatch(new RegExp(`^${found.clean.label}/\\d+\\.png$`));
  }
  const plain = await evaluate(ensemble, data, { ...options, attacks });
  expect(plain).not.toHaveProperty('classNames');
  expect(plain.manifest).toEqual(report.manifest);
});

test('a sample is as large as it is asked to be', async () => {
  const { gathered } = await gathering(9);
  expect(gathered.samples).toHaveLength(9);
  expect(gathered.samples).toEqual(gathered.samples.slice().sort());
  expect(gathered.thumbnails.count).toBe(9);
  expect(gathered.pictures).toHaveLength(8);
});

test('nothing is told where no attack could be made', async () => {
  const alike = subset(data, [0, 4, 8]);
  const onGathered = vi.fn();
  const attacks = briefAttacks().filter(({ objective }) => objective.name === 'centroid-margin');
  await evaluate(ensemble, alike, { ...options, attacks, onGathered });
  expect(onGathered).not.toHaveBeenCalled();
});
