import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportLayers, loadEnsemble } from '../../src/checkpoints/index.js';
import { convEmbedder, Ensemble } from '../../src/models/index.js';
import { readSafetensors } from '../../src/models/safetensors.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { eat, train } from '../../src/training/index.js';
import { tinyImages } from '../models/tiny-images.js';
import { callCli, runCli } from './run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-export-'));
const [run, out] = [join(folder, 'run'), join(folder, 'browser')];
const data = tinyImages();
const images = () =>
  tf.tensor4d(
    Float32Array.from(data.images, (pixel) => pixel / 255),
    [data.length, 8, 8, 1],
  );

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  const method = eat({ members: 3, attack: { epsilon: 0.1, steps: 1 } });
  const model = convEmbedder({ dimension: 4, width: 2 });
  (await train({ data, model, method, epochs: 1, batch: { size: 12 }, checkpoint: run, backend: 'cpu' })).dispose();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** As a browser does it: model.json, and the files that it names, by the addresses beside it. */
async function loadedFrom(dir: string): Promise<tf.LayersModel> {
  const fetchFunc = async (address: string) => {
    const bytes = readFileSync(join(dir, address.replace('http://there/', '')));
    const type = address.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    return new Response(new Uint8Array(bytes), { headers: { 'content-type': type } });
  };
  return tf.loadLayersModel(tf.io.http('http://there/model.json', { fetchFunc: fetchFunc as typeof fetch }));
}

/** The model in `dir`, by tfjs alone, gives the ensemble's embeddings. */
async function expectSame(dir: string, ensemble: Ensemble): Promise<void> {
  const layers = await loadedFrom(dir);
  tf.tidy(() => {
    const [received, expected] = [layers.predict(images()) as tf.Tensor2D, ensemble.apply(images())];
    expect(received.shape).toEqual(expected.shape);
    expect(tf.max(tf.abs(tf.sub(received, expected))).dataSync()[0]).toBeLessThanOrEqual(2e-6);
  });
  layers.dispose();
}

test('a run as files that tfjs alone loads: the embeddings of the ensemble', async () => {
  const { code, stdout, stderr } = await runCli(['export', run, '--out', out, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    ...{ command: 'export', run, out, inputShape: [8, 8, 1], embedding: 12, members: 3 },
  });
  expect(readdirSync(out).sort()).toEqual(['model.json', 'weights.bin']);
  const ensemble = await loadEnsemble(run);
  await expectSame(out, ensemble);
  ensemble.dispose();
});

test('a run as weights that PyTorch loads: a file for each member, by its names', async () => {
  const dir = join(folder, 'pytorch');
  const { code, stdout } = await runCli(['export', run, '--out', dir, '--format', 'safetensors', '--json']);
  const files = [0, 1, 2].map((i) => join(dir, `member-${i}.safetensors`));
  expect({ code, files: JSON.parse(stdout).files }).toEqual({ code: 0, files });
  const { tensors } = readSafetensors(readFileSync(files[1]), (what) => new Error(what));
  expect(tensors.get('conv1.weight')!.shape).toEqual([2, 1, 3, 3]);
  expect([...tensors.keys()]).toContain('norm3.running_var');
  expect(tensors.get('embedding.weight')!.shape).toEqual([4, 8]);
  const again = await callCli(['export', run, '--out', dir, '--format', 'safetensors']);
  expect(again.stderr).toContain(`Expected no member-0.safetensors in ${dir} for an export but found one.`);
});

describe('exportLayers', () => {
  test.each([1, 2])('%i members, and no tensor is left', async (count) => {
    const members = Array.from({ length: count }, (_, i) =>
      convEmbedder({ dimension: 5, width: 1 }).build([8, 8, 1], i),
    );
    const ensemble = new Ensemble(members);
    const before = tf.memory().numTensors;
    const dir = join(folder, `members-${count}`);
    await exportLayers(ensemble, dir);
    expect(tf.memory().numTensors).toBe(before);
    await expectSame(dir, ensemble);
    expect(tf.memory().numTensors).toBe(before);
    ensemble.dispose();
  });

  test('goes over no file', async () => {
    const ensemble = await loadEnsemble(run);
    writeFileSync(join(folder, 'weights.bin'), 'mine');
    await expect(exportLayers(ensemble, folder)).rejects.toMatchObject({
      code: 'ERR_PATH',
      message: `Expected no weights.bin in ${folder} for an export but found one.`,
    });
    expect(readFileSync(join(folder, 'weights.bin'), 'utf8')).toBe('mine');
    ensemble.dispose();
  });

  test('refuses a member that is not described by layers', async () => {
    const member = convEmbedder({ dimension: 5, width: 1 }).build([8, 8, 1], 1);
    const dir = join(folder, 'own');
    await expect(exportLayers(new Ensemble([{ ...member, layers: undefined }]), dir)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/described by layers.*members\[0\]/),
    });
    member.dispose();
  });
});

test('without --out, or a run, it says so', async () => {
  expect((await callCli(['export', run])).code).toBe(2);
  const { code, stderr } = await callCli(['export', join(folder, 'nowhere'), '--out', join(folder, 'x')]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/Expected a checkpoint in/);
});
