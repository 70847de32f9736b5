import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EvaluationFlags, evaluationConfig } from '../../src/config/evaluation-of-run.js';
import { dataOf, trainOptionsOf } from '../../src/config/make.js';
import { findRun } from '../../src/config/run-folder.js';
import type { Config } from '../../src/config/schema.js';
import { convEmbedder } from '../../src/models/index.js';
import { train } from '../../src/training/index.js';
import { temporaryFolder, writeTinyImages } from '../cli/run-cli.js';

const folder = temporaryFolder();
const [run, library] = [join(folder, 'run'), join(folder, 'library')];
const file = join(folder, 'file.json');
let own: Config;

beforeAll(async () => {
  own = {
    seed: 1,
    data: { name: 'idx', ...(await writeTinyImages(folder)) },
    model: { kind: 'conv', width: 2, dimension: 4 },
    method: { name: 'standard' },
    training: { epochs: 1, batch: { size: 12 } },
    evaluation: { suite: 'quick', epsilon: 0.2, count: 20 },
  };
  const options = { ...trainOptionsOf(own), data: (await dataOf(own)).train, backend: 'cpu' as const };
  (await train({ ...options, checkpoint: { dir: run, run: own } })).dispose();
  (await train({ ...options, checkpoint: library })).dispose();
});

afterAll(() => rmSync(folder, { recursive: true }));

async function configOf(of: string, flags: EvaluationFlags, content?: Config) {
  if (content) writeFileSync(file, JSON.stringify(content));
  return evaluationConfig(of, content ? { ...flags, config: file } : flags);
}

const runJson = join(run, 'run.json');
const recorded = () => JSON.parse(readFileSync(runJson, 'utf8')) as Config;

describe('what an evaluation of a run goes by', () => {
  test('the run', async () => {
    expect(await configOf(run, {})).toEqual({ config: own, data: own, own: true });
  });

  test('--seed and that of a file are of attacks and k-means; the data are those of the run', async () => {
    for (const { config, data } of [await configOf(run, { seed: 2 }), await configOf(run, {}, { seed: 2 })]) {
      expect(config.seed).toBe(2);
      expect(data).toEqual(own);
    }
  });

  test('a file goes over the evaluation key by key, and the flags over both', async () => {
    const evaluation = { epsilon: 0.05, restarts: 2 };
    const { config, data } = await configOf(run, { epsilon: 0.01, suite: 'standard' }, { evaluation, backend: 'wasm' });
    expect(config.evaluation).toEqual({ suite: 'standard', epsilon: 0.01, restarts: 2, count: 20 });
    expect(config).toMatchObject({ backend: 'wasm', method: own.method, seed: 1 });
    expect(data).toEqual(own);
  });

  test('a file may say what the run says, with or without defaults', async () => {
    const data = { seed: 1, split: 'zero-shot' as const, ...own.data } as Config['data'];
    const training = { ...own.training, epochs: 9 };
    const same = { ...own, data, method: { name: 'standard' as const, members: 1 }, training };
    expect((await configOf(run, {}, same)).own).toBe(true);
  });

  test.each<[string, Config]>([
    ['data', { data: { name: 'fashion-mnist' } }],
    ['data', { data: { name: 'idx', images: 'others', labels: 'others' } }],
    ['model', { model: { kind: 'conv', width: 4, dimension: 4 } }],
    ['loss', { loss: { name: 'nt-xent' } }],
    ['method', { method: { name: 'at', attack: { epsilon: 0.1 } } }],
    ['training', { training: { epochs: 1, batch: { size: 6 } } }],
  ])('another %s in a file is refused', async (part, content) => {
    await expect(configOf(run, {}, content)).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(new RegExp(`^Expected ${part}[.\\w]* in ${file} to be that of the run, `)),
    });
  });

  test('another kind of network in a file is refused, where the options are the same', async () => {
    const published = { ...own, model: { kind: 'resnet18' } } as Config;
    const made = { kind: 'resnet18', config: {}, build: convEmbedder({ dimension: 4, width: 2 }).build };
    const other = join(folder, 'other');
    const options = { ...trainOptionsOf(own), model: made, data: (await dataOf(own)).train, backend: 'cpu' as const };
    (await train({ ...options, checkpoint: { dir: other, run: published } })).dispose();
    expect((await configOf(other, {}, published)).own).toBe(true);
    const message = expect.stringContaining(`Expected model in ${file} to be that of the run`);
    await expect(configOf(other, {}, { model: { kind: 'mobilenet-v2' } })).rejects.toMatchObject({ message });
  });

  test('--allow-seen takes the data of a file, and nothing else of it', async () => {
    const data = { ...own.data, seed: 7 } as Config['data'];
    const allowed = await configOf(run, { allowSeen: true }, { data });
    expect(allowed).toMatchObject({ own: false, data: { data } });
    const model = { kind: 'conv' as const, width: 4 };
    await expect(configOf(run, { allowSeen: true }, { data, model })).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  });

  test('a checkpoint of the library goes by a file, whose seed drew its data', async () => {
    await expect(configOf(library, {})).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', hint: expect.any(String) });
    const { config, data, own: isOwn } = await configOf(library, { seed: 5 }, own);
    expect([config.seed, data.seed, isOwn]).toEqual([5, 1, false]);
  });
});

describe('run.json and the checkpoint', () => {
  test('a run.json of another run is refused, naming what differs', async () => {
    for (const change of [{ seed: 2 }, { method: undefined }, { training: { batch: { size: 6 } } }]) {
      const before = recorded();
      writeFileSync(runJson, JSON.stringify({ ...before, ...change }));
      await expect(configOf(run, {})).rejects.toMatchObject({
        code: 'ERR_CHECKPOINT',
        message: expect.stringMatching(
          /run\.json to be of the checkpoint beside it but its (seed|method|training)[.\w]* is/,
        ),
      });
      writeFileSync(runJson, JSON.stringify(before));
    }
  });

  test('one that is no JSON, or no configuration, is named', async () => {
    const before = recorded();
    for (const text of ['{', '{"sede": 1}', '[]']) {
      writeFileSync(runJson, text);
      const message = expect.stringContaining(runJson);
      await expect(configOf(run, {})).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', message });
    }
    writeFileSync(runJson, JSON.stringify(before));
  });

  test('more epochs and another evaluation are of the same run', async () => {
    const before = recorded();
    const changed = { ...before, training: { ...before.training, epochs: 50 }, evaluation: { epsilon: 0.3 } };
    writeFileSync(runJson, JSON.stringify(changed));
    expect(await findRun(run)).toEqual(changed);
    rmSync(runJson);
    expect(await findRun(run)).toEqual(own);
    writeFileSync(runJson, JSON.stringify(before));
  });
});
