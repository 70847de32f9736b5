import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Worker, WorkerOptions } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { imageFiles, type Source } from '../../src/data/index.js';

const threads = vi.hoisted(() => ({ started: [] as Worker[], asked: [] as unknown[] }));

// The thread's program is a file of the built package; here it is built from the sources.
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  const { program } = await import('../program.js');
  const script = await program('src/data/decoding/decoding-worker.ts');
  class Built extends real.Worker {
    constructor(_: URL, options: WorkerOptions) {
      super(script, options);
      threads.started.push(this);
    }
    override postMessage(request: unknown): void {
      threads.asked.push(request);
      super.postMessage(request);
    }
  }
  return { ...real, Worker: Built };
});

const root = mkdtempSync(join(tmpdir(), 'eat-dml-thread-'));
const files = Array.from({ length: 8 }, (_, i) => `${i}.png`);
const indices = [3, 0, 7, 3, 1, 2, 6, 5];

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const [i, file] of files.entries()) {
    const pixels = Uint8Array.from({ length: 260 * 250 * 3 }, (_, at) => (at * (i + 3) + (at >> 7)) % 256);
    await sharp(pixels, { raw: { width: 260, height: 250, channels: 3 } })
      .png()
      .toFile(join(root, file));
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const open = (names = files): Source =>
  imageFiles({
    ...{ name: 'thread', root, files: names, labels: names.map((_, i) => i), seed: 4 },
    transform: { resize: 240, randomResizedCrop: 224, flip: true },
  });

/** The bits of a batch, told apart by a hash. */
async function pixels(source: Source, of = indices, draw?: number): Promise<string> {
  const images = await source.batch(of, { draw });
  const hash = createHash('sha256').update((await images.data()) as Float32Array);
  images.dispose();
  return hash.digest('hex');
}

test.each([undefined, 5])('a batch that was read ahead has the bits of one that was not (draw %s)', async (draw) => {
  const here = await pixels(open(), indices, draw);
  const asked = threads.asked.length;
  const source = open();
  source.prefetch!(indices, { draw });
  expect(await pixels(source, indices, draw)).toEqual(here);
  expect(threads.asked.length).toBe(asked + 1);
});

test('memory of a batch is written again by the next, JPEGs beside PNGs, and no bit of the last is left', async () => {
  const names = await Promise.all(
    files.map(async (file, i) => {
      if (i % 2 === 0) return file;
      const name = `${i}.jpg`;
      await sharp(join(root, file)).jpeg().toFile(join(root, name));
      return name;
    }),
  );
  const batches = Array.from({ length: 4 }, (_, b) => indices.map((index) => (index + b) % names.length));
  const expected: string[] = [];
  for (const batch of batches) expected.push(await pixels(open(names), batch));
  expect(new Set(expected).size).toBe(batches.length);
  const asked = threads.asked.length;
  const source = open(names);
  const found: string[] = [];
  for (const [b, batch] of batches.entries()) {
    if (b === 0) source.prefetch!(batch);
    if (b + 1 < batches.length) source.prefetch!(batches[b + 1]);
    found.push(await pixels(source, batch));
  }
  expect(found).toEqual(expected);
  const requests = threads.asked.slice(asked) as { pixels: Uint8Array }[];
  expect(requests).toHaveLength(batches.length);
  expect(new Set(requests.map(({ pixels }) => pixels.buffer)).size).toBe(2);
});

test('all sources have one thread, and small batches none', async () => {
  const asked = threads.asked.length;
  const source = open();
  source.prefetch!([0, 1]);
  await pixels(source, [0, 1]);
  expect(threads.asked.length).toBe(asked);
  expect(threads.started).toHaveLength(1);
});

test('a file that is broken or missing is named as ever', async () => {
  writeFileSync(join(root, 'broken.png'), Buffer.from('89504e470d0a1a0a00', 'hex'));
  for (const bad of ['broken.png', 'missing.png']) {
    const names = [...files.slice(0, 7), bad];
    const here = await open(names)
      .batch([...names.keys()])
      .catch((error) => error);
    const source = open(names);
    source.prefetch!([...names.keys()]);
    const there = await source.batch([...names.keys()]).catch((error) => error);
    expect(there).toMatchObject({ name: here.name, code: 'ERR_DATA', message: here.message, hint: here.hint });
    expect(there.message).toContain(join(root, bad));
  }
});

test('a signal ends what is read ahead', async () => {
  const controller = new AbortController();
  const source = open();
  source.prefetch!(indices, { signal: controller.signal });
  const batch = source.batch(indices, { signal: controller.signal });
  await setImmediate();
  controller.abort();
  await expect(batch).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  const { id } = threads.asked.at(-2) as { id: number };
  // The thread is told, and goes on with others.
  expect(threads.asked.at(-1)).toEqual({ id });
  source.prefetch!(indices);
  expect(await pixels(source)).toEqual(await pixels(open()));
});

test('where the thread is lost batches are read without it', async () => {
  const here = await pixels(open());
  const source = open();
  source.prefetch!(indices);
  await threads.started[0].terminate();
  expect(await pixels(source)).toEqual(here);
  source.prefetch!(indices);
  expect(await pixels(source)).toEqual(here);
  expect(threads.started).toHaveLength(1);
});
