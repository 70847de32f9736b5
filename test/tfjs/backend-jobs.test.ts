import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { evaluate, evaluateRanking } from '../../src/evaluation/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { type BackendName, backendReport, chooseBackend } from '../../src/tfjs/index.js';
import { type TrainOptions, train } from '../../src/training/index.js';
import { threeAttacks } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { tinyImages } from '../models/tiny-images.js';

const data = tinyImages({ perClass: 3 });
const model = convEmbedder({ dimension: 3, width: 1 });
const training: TrainOptions = { data, model, epochs: 2, batch: { size: 6 } };
const quick = { attacks: [], batchSize: 6 };
let ensemble: Ensemble;

const refused = (name: string, asked: string) =>
  expect.objectContaining({
    code: 'ERR_BACKEND',
    message: `Expected the backend ${name}, on which a job is running, but received ${asked}.`,
  });

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  ensemble = new Ensemble([model.build([8, 8, 1], 1)]);
});

afterEach(() => chooseBackend({ backend: 'cpu' }));

/** How each job ended, the first started first. */
const together = (...jobs: Promise<unknown>[]) => Promise.allSettled(jobs);

describe('jobs on two backends at once', () => {
  it.each<[string, (backend: BackendName) => Promise<unknown>]>([
    ['evaluate', (backend) => evaluate(ensemble, data, { ...quick, backend })],
    ['evaluateRanking', (backend) => evaluateRanking(ensemble, data, { steps: 1, backend })],
    ['train', (backend) => train({ ...training, backend })],
  ])('%s: the second is refused, the first goes on as it would alone', async (_, job) => {
    const [first, second] = await together(job('wasm'), job('cpu'));
    expect(first.status).toBe('fulfilled');
    expect(second).toEqual({ status: 'rejected', reason: refused('wasm', 'cpu') });
    await expect(job('cpu')).resolves.toBeDefined();
  });

  it('the manifest says what ran', async () => {
    const [wasm, cpu] = await together(
      evaluate(ensemble, data, { ...quick, backend: 'wasm' }),
      evaluate(ensemble, data, { ...quick, backend: 'cpu' }),
    );
    expect(wasm).toMatchObject({ value: { manifest: { backend: { name: 'wasm' } } } });
    expect(cpu.status).toBe('rejected');
    expect(tf.getBackend()).toBe('wasm');
  });

  it('another is not chosen meanwhile, and the own one may be', async () => {
    const job = train({ ...training, backend: 'wasm' });
    const [other, own, auto] = await together(
      chooseBackend({ backend: 'cpu' }),
      chooseBackend({ backend: 'wasm' }),
      chooseBackend(),
    );
    expect(other).toEqual({ status: 'rejected', reason: refused('wasm', 'cpu') });
    expect(own).toMatchObject({ value: { name: 'wasm' } });
    expect(auto).toMatchObject({ value: { name: 'wasm', reason: expect.stringMatching(/^in use by another job; /) } });
    await job;
  });

  it('a job that ends in an error makes way', async () => {
    const signal = AbortSignal.abort();
    const [aborted] = await together(train({ ...training, backend: 'wasm', signal }));
    expect(aborted).toMatchObject({ reason: { code: 'ERR_ABORTED' } });
    await expect(evaluate(ensemble, data, { ...quick, backend: 'cpu' })).resolves.toBeDefined();
  });

  it('embed holds the backend that tfjs has', async () => {
    const [embedded, chosen] = await together(
      ensemble.embed(data, { batchSize: 1 }),
      chooseBackend({ backend: 'wasm' }),
    );
    expect(embedded.status).toBe('fulfilled');
    expect(chosen).toEqual({ status: 'rejected', reason: refused('cpu', 'wasm') });
  });

  it('the report of backends leaves it alone', async () => {
    const [job] = await together(train({ ...training, backend: 'wasm' }), backendReport());
    expect(job.status).toBe('fulfilled');
  });
});

describe('jobs on one backend', () => {
  it('run side by side, each as alone', async () => {
    passChecks();
    const job = async (seed: number) => {
      const { attacks } = await evaluate(ensemble, data, { ...quick, attacks: threeAttacks(), seed, backend: 'cpu' });
      return attacks.map(({ scores }) => scores);
    };
    const alone = [await job(1), await job(2)];
    expect(alone[1]).not.toEqual(alone[0]);
    expect(await Promise.all([job(1), job(2)])).toEqual(alone);
  });

  it('auto joins the one that runs, and says so', async () => {
    const [, joined] = await together(
      train({ ...training, backend: 'wasm' }),
      evaluate(ensemble, data, { ...quick, backend: 'auto' }),
    );
    expect(joined).toMatchObject({
      value: { manifest: { backend: { name: 'wasm', reason: expect.stringMatching(/^in use by another job/) } } },
    });
  });
});

it.each<[string, () => Promise<unknown>]>([
  ['train', () => train({ ...training, backend: 'cpu' })],
  ['evaluate', () => evaluate(ensemble, data, { ...quick, backend: 'cpu' })],
  ['embed', () => ensemble.embed(data, { batchSize: 1 })],
])('%s ends where tf.setBackend changes the backend under it', async (_, start) => {
  const job = start();
  setTimeout(() => tf.setBackend('wasm'), 0);
  await expect(job).rejects.toMatchObject({
    code: 'ERR_BACKEND',
    message: 'Expected the backend cpu while a job runs on it but tf.setBackend changed it to wasm.',
  });
});
