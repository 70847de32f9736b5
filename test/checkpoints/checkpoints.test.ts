import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CheckpointContent,
  hasCheckpoint,
  loadCheckpoint,
  loadEnsemble,
  lockFolder,
  saveCheckpoint,
} from '../../src/checkpoints/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { float32Values, readSafetensors } from '../../src/models/safetensors.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { tinyImages } from '../models/tiny-images.js';

const model = convEmbedder({ dimension: 4, width: 2 });
const data = tinyImages();
const record = { step: 7, nested: { list: [0.1, 1e-300], text: 'ä' } };
let dir: string;
let ensemble: Ensemble;

async function save(step: number, content: CheckpointContent): Promise<void> {
  const folder = await lockFolder(dir);
  await saveCheckpoint(folder, step, content).finally(folder.release);
}

beforeEach(async () => {
  await chooseBackend({ backend: 'cpu' });
  dir = await mkdtemp(join(tmpdir(), 'eat-dml-test-'));
  ensemble = new Ensemble([1, 2].map((seed) => model.build([8, 8, 1], seed)));
  const tensors = {
    proxies: tf.tensor2d([
      [1, 2],
      [3, 4],
    ]),
    empty: tf.zeros([0]),
    scalar: tf.scalar(Math.fround(0.1)),
  };
  await save(7, { model, members: ensemble.members, tensors, record });
  tf.dispose(tensors);
});

afterEach(async () => {
  ensemble.dispose();
  await rm(dir, { recursive: true, force: true });
});

describe('checkpoints', () => {
  it('come back as they were', async () => {
    const before = tf.memory().numTensors;
    const loaded = await loadCheckpoint(dir);
    expect(loaded.model).toEqual({ kind: 'conv', config: { dimension: 4, width: 2 }, inputShape: [8, 8, 1] });
    expect(loaded.record).toEqual(record);
    expect(loaded.tensors.get('proxies')).toEqual({ shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) });
    expect(loaded.tensors.get('scalar')).toEqual({ shape: [], values: Float32Array.of(0.1) });
    expect(loaded.tensors.get('empty')).toEqual({ shape: [0], values: new Float32Array(0) });
    const restored = new Ensemble(loaded.members);
    expect(await restored.embed(data)).toEqual(await ensemble.embed(data));
    restored.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('restore an ensemble of a model of the user', async () => {
    const own = { ...model, kind: 'mine' };
    await save(8, { model: own, members: ensemble.members, tensors: {}, record });
    await expect(loadEnsemble(dir)).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(/mine/),
    });
    const restored = await loadEnsemble(dir, own);
    expect(await restored.embed(data)).toEqual(await ensemble.embed(data));
    restored.dispose();
  });

  it('hold the variables of a member by name, and what it is', async () => {
    const file = await readFile(join(dir, 'step-7', 'member-1.safetensors'));
    const { tensors, metadata } = readSafetensors(file, (what) => new Error(what));
    expect(JSON.parse(metadata.get('model')!)).toEqual({ kind: 'conv', config: model.config, inputShape: [8, 8, 1] });
    expect([...tensors.keys()]).toEqual([...ensemble.members[1].weights.keys()]);
    for (const [name, variable] of ensemble.members[1].weights) {
      expect(float32Values(tensors.get(name)!)).toEqual(Float32Array.from(variable.dataSync()));
    }
  });

  it('replace the one before', async () => {
    await save(7, { model, members: ensemble.members.slice(0, 1), tensors: {}, record: 'second' });
    expect((await loadCheckpoint(dir)).record).toBe('second');
    expect((await readdir(dir)).sort()).toEqual(['manifest.json', 'step-7-2']);
  });

  it('keep the one before when writing fails', async () => {
    const weights = new Map([['a', { data: () => Promise.reject(new Error('disk full')) }]]);
    const broken = { ...ensemble.members[1], weights } as never;
    const content = { model, members: [ensemble.members[0], broken], tensors: {}, record };
    await expect(save(9, content)).rejects.toThrow('disk full');
    expect((await readdir(dir)).sort()).toEqual(['manifest.json', 'step-7']);
    expect((await loadCheckpoint(dir)).record).toEqual(record);
  });

  it('of which a part could not be removed are removed the next time', async () => {
    // As if a process had been killed while it removed: what is left is still known to be a checkpoint's.
    const stuck = join(dir, 'step-7', 'member-0.safetensors');
    await rm(stuck);
    await mkdir(stuck);
    await save(8, { model, members: ensemble.members, tensors: {}, record });
    expect((await readdir(dir)).sort()).toEqual(['manifest.json', 'step-7', 'step-8']);
    expect((await readdir(join(dir, 'step-7'))).sort()).toEqual(['manifest.json', 'member-0.safetensors']);
    await rmdir(stuck);
    await mkdir(join(dir, 'step-6'));
    await save(9, { model, members: ensemble.members, tensors: {}, record });
    expect((await readdir(dir)).sort()).toEqual(['manifest.json', 'step-9']);
  });
});

it('says whether the folder is missing, or what is in it', async () => {
  const nowhere = join(dir, 'nowhere');
  const missing = `Expected a checkpoint in ${nowhere} but there is no such folder.`;
  await expect(loadCheckpoint(nowhere)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', message: missing });
  await mkdir(nowhere);
  await expect(loadCheckpoint(nowhere)).rejects.toThrow('but it has no manifest.json.');
  await mkdir(join(nowhere, 'manifest.json'));
  await expect(loadCheckpoint(nowhere)).rejects.toThrow('but manifest.json cannot be read.');
});

describe('a damaged checkpoint', () => {
  const files = ['manifest.json', 'training.safetensors', 'member-0.safetensors', 'member-1.safetensors'];
  const pathOf = (file: string) => (file === 'manifest.json' ? join(dir, file) : join(dir, 'step-7', file));
  const refused = async (file: string) => {
    const before = tf.memory().numTensors;
    const name = file.split('/').at(-1)!;
    const expected = { code: 'ERR_CHECKPOINT', message: expect.stringContaining(name) };
    await expect(loadCheckpoint(dir)).rejects.toMatchObject(expected);
    expect(tf.memory().numTensors).toBe(before);
  };

  it.each(files)('is refused, naming %s: cut short', async (file) => {
    await truncate(pathOf(file), (await stat(pathOf(file))).size - 5);
    await refused(file);
  });

  it.each(files)('is refused, naming %s: one bit flipped', async (file) => {
    const bytes = await readFile(pathOf(file));
    // In the manifest the record's first digit, so that it stays JSON.
    const at = file === 'manifest.json' ? bytes.indexOf('"step": 7') + 8 : bytes.length >> 1;
    bytes[at] ^= 1;
    await writeFile(pathOf(file), bytes);
    await refused(file);
  });

  it.each(files)('is refused, naming %s: missing', async (file) => {
    await rm(pathOf(file));
    await refused(file);
  });

  it('is refused: another version, another format, no folder', async () => {
    const text = await readFile(pathOf('manifest.json'), 'utf8');
    await writeFile(pathOf('manifest.json'), text.replace('"version": 2', '"version": 3'));
    await expect(loadCheckpoint(dir)).rejects.toMatchObject({ message: expect.stringMatching(/version is 3/) });
    await writeFile(pathOf('manifest.json'), '[]');
    await refused('manifest.json');
    expect(await hasCheckpoint(dir)).toBe(true);
    expect(await hasCheckpoint(join(dir, 'nowhere'))).toBe(false);
    await expect(loadEnsemble(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
  });
});
