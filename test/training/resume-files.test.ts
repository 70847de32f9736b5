import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageFiles } from '../../src/data/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { train } from '../../src/training/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-files-'));
const files = Array.from({ length: 18 }, (_, i) => `${i}.png`);

beforeAll(async () => {
  await chooseBackend({ backend: 'cpu' });
  for (const [i, file] of files.entries()) {
    const pixels = Uint8Array.from({ length: 12 * 10 * 3 }, (_, at) => (at * (i + 3) + 60 * (i % 3)) % 256);
    await sharp(pixels, { raw: { width: 12, height: 10, channels: 3 } })
      .png()
      .toFile(join(folder, file));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (concurrency: number) => ({
  data: imageFiles({
    ...{ name: 'files', root: folder, files, labels: files.map((_, i) => i % 3), concurrency, seed: 5 },
    transform: { resize: 9, randomResizedCrop: 8, flip: true },
  }),
  ...{
    model: convEmbedder({ dimension: 4, width: 2 }),
    batch: { size: 6 },
    epochs: 3,
    seed: 4,
    backend: 'cpu' as const,
  },
});

async function weightsOf(ensemble: Awaited<ReturnType<typeof train>>): Promise<number[]> {
  const values = await Promise.all([...ensemble.members[0].weights.values()].map((weight) => weight.data()));
  ensemble.dispose();
  return values.flatMap((value) => Array.from(value));
}

test('a run on files with random views, stopped in an epoch and resumed, gives the bits of one that was not', async () => {
  const whole = await train(options(1));
  const { losses } = whole.history;
  const expected = await weightsOf(whole);
  const checkpoint = join(folder, 'run');
  const controller = new AbortController();
  const onProgress = ({ step }: { step: number }) => {
    if (step === 4) controller.abort();
  };
  await expect(train({ ...options(4), checkpoint, signal: controller.signal, onProgress })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
  });
  const resumed = await train({ ...options(4), checkpoint, resume: true });
  expect(resumed.history.losses).toEqual(losses);
  expect(await weightsOf(resumed)).toEqual(expected);
  // The views are random: another seed of the files gives other bits.
  const other = await train({
    ...options(1),
    data: imageFiles({
      name: 'files',
      root: folder,
      files,
      labels: files.map((_, i) => i % 3),
      seed: 6,
      transform: { resize: 9, randomResizedCrop: 8, flip: true },
    }),
  });
  expect(await weightsOf(other)).not.toEqual(expected);
});
