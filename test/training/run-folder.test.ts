import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadEnsemble, removeCheckpoint } from '../../src/checkpoints/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { float32Values, readSafetensors, writeSafetensors } from '../../src/models/safetensors.js';
import { type TrainOptions, train } from '../../src/training/index.js';
import { changeFile, changeManifest, type LooseManifest } from '../checkpoints/change-manifest.js';
import { QUICKER } from '../evaluation/brief.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { canMount, smallDisk } from '../small-disk.js';

let dir: string;
const options: TrainOptions = {
  data: tinyImages(),
  model: convEmbedder({ dimension: 4, width: 2 }),
  ...{ seed: 1, epochs: 2, batch: { size: 12 }, backend: QUICKER },
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'eat-dml-run-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const trained = async (change: Partial<TrainOptions>) => (await train({ ...options, ...change })).dispose();
const json = (...names: string[]) => JSON.parse(readFileSync(join(dir, ...names), 'utf8'));

describe('two trainings into one folder', () => {
  const TIMES = LONG ? 20 : 5;
  it(`one wins and the other ends with one sentence, ${TIMES} times of ${TIMES}`, async () => {
    for (let i = 0; i < TIMES; i++) {
      const out = join(dir, String(i));
      const run = (seed: number) => trained({ seed, epochs: 1, checkpoint: { dir: out, run: { seed } } });
      const ends = await Promise.allSettled([run(1), run(2)]);
      const [lost] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
      // The winner may have finished while the other still asks.
      const sentence = /^Expected (to train into .* alone but process \d+|no checkpoint in .* for a new run but) /;
      expect(lost).toMatchObject({ code: 'ERR_CHECKPOINT', message: expect.stringMatching(sentence) });
      const winner = ends.findIndex(({ status }) => status === 'fulfilled') + 1;
      const { record, run: recorded } = json(String(i), 'manifest.json');
      expect([record.fingerprint.seed, recorded.seed, json(String(i), 'run.json').seed]).toEqual([
        winner,
        winner,
        winner,
      ]);
      expect(readdirSync(out).sort()).toEqual(['manifest.json', 'run.json', 'step-4']);
    }
  });
});

describe('run.json', () => {
  it('comes with the checkpoint, and stays when a run is refused', async () => {
    const checkpoint = (seed: number) => ({ dir, run: { seed, data: 'tiny' } });
    await trained({ epochs: 1, checkpoint: checkpoint(1) });
    expect(json('run.json')).toEqual({ seed: 1, data: 'tiny' });
    const code = { code: 'ERR_CHECKPOINT' };
    await expect(trained({ seed: 2, resume: true, checkpoint: checkpoint(2) })).rejects.toMatchObject(code);
    await expect(trained({ seed: 2, checkpoint: checkpoint(2) })).rejects.toMatchObject(code);
    expect(json('run.json')).toEqual({ seed: 1, data: 'tiny' });
    await trained({ resume: true, checkpoint: checkpoint(1) });
    expect(readdirSync(dir).sort()).toEqual(['manifest.json', 'run.json', 'step-8']);
  });

  it('is kept by a run that goes on without saying what it is', async () => {
    await trained({ epochs: 1, checkpoint: { dir, run: { seed: 1 } } });
    await trained({ resume: true, checkpoint: dir });
    expect(json('manifest.json').run).toEqual({ seed: 1 });
  });

  it('of somebody else is not written over', async () => {
    writeFileSync(join(dir, 'run.json'), 'mine');
    const refused = trained({ checkpoint: { dir, run: {} } });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(/run\.json/),
    });
    expect(readFileSync(join(dir, 'run.json'), 'utf8')).toBe('mine');
    expect(readdirSync(dir)).toEqual(['run.json']);
  });
});

it('a value that is no JSON is no run', async () => {
  for (const run of [1n, () => 1]) {
    const refused = trained({ checkpoint: { dir, run } });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/checkpoint\.run/),
    });
  }
});

it('a checkpoint can be read while newer ones take its place', async () => {
  let training = true;
  const run = trained({ epochs: LONG ? 10 : 4, checkpoint: { dir, everySteps: 1 } }).finally(() => {
    training = false;
  });
  let read = 0;
  while (training) {
    await new Promise(setImmediate);
    if (!existsSync(join(dir, 'manifest.json'))) continue;
    (await loadEnsemble(dir)).dispose();
    read++;
  }
  await run;
  expect(read).toBeGreaterThan(1);
});

describe('what is not ours', () => {
  it('outlives training and removal, whatever it is called', async () => {
    const mine = ['step-1', 'step-4', 'step-999-2', '.tmp-1-step-9', 'notes'];
    for (const name of mine) {
      mkdirSync(join(dir, name));
      writeFileSync(join(dir, name, 'mine.txt'), name);
    }
    await trained({ checkpoint: { dir, everySteps: 1, run: {} } });
    expect(readdirSync(dir).sort()).toEqual([...mine, 'manifest.json', 'run.json', 'step-8'].sort());
    // A copy of a checkpoint is the user's, and so is what he put into ours.
    cpSync(join(dir, 'step-8'), join(dir, 'step-88'), { recursive: true });
    mkdirSync(join(dir, 'step-8', 'more'));
    writeFileSync(join(dir, 'step-8', 'more', 'mine.txt'), 'step-8');
    await trained({ epochs: 3, resume: true, checkpoint: { dir, run: {} } });
    expect(readdirSync(join(dir, 'step-8'), { recursive: true }).sort()).toEqual(['more', 'more/mine.txt']);
    await removeCheckpoint(dir);
    expect(readdirSync(dir).sort()).toEqual([...mine, 'step-8', 'step-88'].sort());
    for (const name of mine) expect(readFileSync(join(dir, name, 'mine.txt'), 'utf8')).toBe(name);
    expect(existsSync(join(dir, 'step-88', 'member-0.safetensors'))).toBe(true);
  });

  it('but what a killed process had put in place is', async () => {
    await trained({ epochs: 1, checkpoint: dir });
    const before = `${dir}-before`;
    cpSync(dir, before, { recursive: true });
    await trained({ resume: true, checkpoint: dir });
    // As if it had ended before the manifest of its last save was renamed.
    cpSync(before, dir, { recursive: true });
    rmSync(before, { recursive: true });
    expect(readdirSync(dir).sort()).toEqual(['manifest.json', 'step-4', 'step-8']);
    await trained({ epochs: 3, resume: true, checkpoint: dir });
    expect(readdirSync(dir).sort()).toEqual(['manifest.json', 'step-12']);
  });

  it('and what it had not yet removed goes, and run.json comes, though no step is left', async () => {
    const data = tinyImages({ classes: 8, perClass: 6 });
    const run = { ...{ data, validation: { classes: 0.4 } }, checkpoint: { dir, run: { seed: 1 } } };
    await trained({ ...run, epochs: 1 });
    const before = `${dir}-before`;
    cpSync(dir, before, { recursive: true });
    await trained({ ...run, resume: true });
    const whole = readdirSync(dir, { recursive: true }).sort();
    const stepIn = (folder: string) => readdirSync(folder).find((name) => /^step-/.test(name))!;
    const steps = [join(before, stepIn(before)), join(dir, stepIn(dir))];
    const best = join(dir, 'best');
    const other = steps.find((step) => basename(step) !== stepIn(best))!;
    // As if it had ended right after the manifests of its last saves were renamed: the step before is there, in `best` another than its own.
    cpSync(steps[0], join(dir, basename(steps[0])), { recursive: true });
    cpSync(other, join(best, basename(other)), { recursive: true });
    for (const folder of [dir, best]) rmSync(join(folder, 'run.json'));
    rmSync(before, { recursive: true });
    expect(readdirSync(dir, { recursive: true }).sort()).not.toEqual(whole);
    await trained({ ...run, resume: true });
    expect(readdirSync(dir, { recursive: true }).sort()).toEqual(whole);
    expect([json('run.json'), json('best', 'run.json')]).toEqual([{ seed: 1 }, { seed: 1 }]);
  });

  it('a manifest that names files elsewhere is none of ours', async () => {
    await trained({ checkpoint: dir });
    writeFileSync(join(dir, 'mine.txt'), 'mine');
    changeManifest(dir, (manifest) => manifest.files.push({ path: 'mine.txt', bytes: 4, sha256: '0'.repeat(64) }));
    await expect(removeCheckpoint(dir)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
    expect(existsSync(join(dir, 'mine.txt'))).toBe(true);
  });
});

describe.skipIf(!canMount)('a checkpoint that cannot be saved', () => {
  it('ends the run with a sentence, and leaves the last good one to go on from', async () => {
    const disk = smallDisk(512);
    const out = join(disk.path, 'run');
    const before = tf.memory().numTensors;
    const failed = trained({
      checkpoint: out,
      onProgress: ({ step }) => {
        if (step === 5) disk.fill();
      },
    });
    await expect(failed).rejects.toMatchObject({
      code: 'ERR_SYSTEM',
      message: expect.stringContaining(`save a checkpoint in ${out} but no space is left`),
      hint: expect.stringContaining('That of step 4 is whole'),
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(readdirSync(out).sort()).toEqual(['manifest.json', 'step-4']);
    disk.empty();
    const [whole, resumed] = [await train(options), await train({ ...options, checkpoint: out, resume: true })];
    expect(await resumed.embed(options.data)).toEqual(await whole.embed(options.data));
  });

  it('is known before the first step where the disk is read-only', async () => {
    const disk = smallDisk(512);
    disk.readOnly();
    const steps: number[] = [];
    const failed = trained({ checkpoint: join(disk.path, 'run'), onProgress: ({ step }) => steps.push(step) });
    await expect(failed).rejects.toMatchObject({ code: 'ERR_SYSTEM', message: expect.stringMatching(/EROFS/) });
    expect(steps).toEqual([]);
  });
});

it('a folder that is a file is refused as one', async () => {
  writeFileSync(join(dir, 'file'), '');
  for (const out of [join(dir, 'file'), join(dir, 'file', 'below')]) {
    await expect(trained({ checkpoint: out })).rejects.toMatchObject({
      code: 'ERR_PATH',
      message: expect.stringContaining(out),
    });
  }
});

describe('a record that does not fit', () => {
  it.each<[string, (manifest: LooseManifest) => unknown]>([
    ['no position', ({ record }) => delete record.position],
    ['no record', (manifest) => Object.assign(manifest, { record: undefined })],
    ['a step too few', ({ record }) => (record.optimizerSteps as number[]).pop()],
  ])('is ERR_CHECKPOINT: %s', async (_, change) => {
    await trained({ epochs: 1, checkpoint: dir });
    changeManifest(dir, change);
    const before = tf.memory().numTensors;
    const resumed = trained({ resume: true, checkpoint: dir });
    await expect(resumed).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
    expect(tf.memory().numTensors).toBe(before);
    expect(readdirSync(dir).sort()).toEqual(['manifest.json', 'step-4']);
  });

  it.each<[string, (name: string, shape: number[]) => [string, number[]]]>([
    ['a tensor of another name', (name, shape) => [name === '0/proxies' ? 'x' : name, shape]],
    ['a moment of another shape', (name, shape) => [name, name === '0/moment-0' ? [1, ...shape] : shape]],
  ])('is ERR_CHECKPOINT: %s', async (_, change) => {
    await trained({ epochs: 1, checkpoint: dir });
    const file = 'step-4/training.safetensors';
    const { tensors } = readSafetensors(readFileSync(join(dir, file)), (what) => new Error(what));
    const changed = [...tensors].map(([name, tensor]) => {
      const [other, shape] = change(name, tensor.shape);
      return [other, { shape, values: float32Values(tensor) }] as const;
    });
    changeFile(dir, file, writeSafetensors(changed));
    const before = tf.memory().numTensors;
    await expect(trained({ resume: true, checkpoint: dir })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('a model of another kind of weights, too', async () => {
    await trained({ epochs: 1, checkpoint: dir });
    await expect(loadEnsemble(dir, convEmbedder({ dimension: 8, width: 2 }))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(/weights are not those of the model conv/),
    });
  });
});
