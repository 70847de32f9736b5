import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW } from '../../src/training/adamw.js';
import { type Clip, clipped } from '../../src/training/clip.js';
import { filledSchedule, rateAt } from '../../src/training/schedule.js';
import { availableBackends } from '../models/backends.js';

const goldens = JSON.parse(readFileSync(new URL('../goldens/training.json', import.meta.url), 'utf8'));
const backends = await availableBackends();

test.each(backends)('gradients are cut as PyTorch cuts them, on %s', async (backend) => {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  for (const { clip, gradients } of goldens.clips as { clip: Clip; gradients: number[][] }[]) {
    tf.tidy(() => {
      const given = Object.fromEntries((goldens.gradients as number[][]).map((g, i) => [`g${i}`, tf.tensor(g)]));
      const cut = clipped(given, clip);
      for (const [i, expected] of gradients.entries()) {
        expect(cut[`g${i}`].shape).toEqual(given[`g${i}`].shape);
        const values = cut[`g${i}`].dataSync();
        for (const [j, value] of expected.entries()) expect(values[j]).toBeCloseTo(value, 5);
      }
    });
  }
  expect(tf.memory().numTensors).toBe(before);
});

test.each(backends)(
  'AdamW with a late group, a falling rate and cut gradients goes PyTorch’s way, on %s',
  async (on) => {
    await tf.setBackend(on);
    const { learningRate, weightDecay, every, gamma, clip, frozen, start, gradients, path } = goldens.warmUp;
    const [late, first] = [tf.variable(tf.tensor1d(start[0])), tf.variable(tf.tensor2d([start[1]]))];
    const optimizer = new AdamW([
      { variables: [late], learningRate, weightDecay },
      { variables: [first], learningRate, weightDecay },
    ]);
    const schedule = filledSchedule({ name: 'step', every, gamma }, gradients.length);
    for (const [t, g] of gradients.entries()) {
      tf.tidy(() => {
        const given: tf.NamedTensorMap = { [first.name]: tf.tensor2d([[g[2], -g[0]]]) };
        if (t >= frozen) given[late.name] = tf.tensor1d([g[0], g[1]]);
        optimizer.update(clipped(given, { value: clip }), rateAt(schedule, t, 1));
      });
      const values = [late, first].map((variable) => Array.from(variable.dataSync()));
      if (t < frozen) expect(values[0]).toEqual(start[0]);
      for (const [i, row] of (path[t] as number[][]).entries()) {
        for (const [j, value] of row.entries()) expect(values[i][j]).toBeCloseTo(value, 5);
      }
      if (t === frozen - 1)
        for (const moment of optimizer.moments().slice(0, 2)) expect(moment.dataSync()).toEqual(new Float32Array(2));
    }
    expect(optimizer.groupSteps).toEqual([gradients.length - frozen, gradients.length]);
    optimizer.dispose();
    tf.dispose([late, first]);
  },
);
