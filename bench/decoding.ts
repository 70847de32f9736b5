/**
 * Images a second from 500-pixel JPEGs to batches of 224-pixel floats, beside torchvision's ImageFolder and DataLoader, the two
 * programs by turns:
 *   npm run build:ts && npx tsx bench/decoding.ts [--python PYTHON] [--images 512] [--rounds 3] [--batch 64] [--workers 2] [--backend auto]
 *     [--folder .cache/decoding]
 * bench/peers/decoding.py needs torch, torchvision and Pillow; without `--python` it is left out. CPU ms are of all threads and
 * workers: on a machine that others use they say more than images a second. A pass begins with no file read, and the peer's with
 * its workers not yet started: few images say little. Where fresh memory is dear (virtual machines), most of a batch is its floats;
 * GLIBC_TUNABLES=glibc.malloc.hugetlb=1 before the command makes it cheap, for the peer too.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import type { Source } from '../src/data/source.js';
import { randomStream } from '../src/random.js';

/** As it is built: the thread that reads ahead is started from there. */
const built = (file: string) => import(new URL(`../dist/${file}`, import.meta.url).href);
const { imageFiles }: typeof import('../src/data/image-files.js') = await built('data/image-files.js');
const { chooseBackend, pixelTensor }: typeof import('../src/tfjs/index.js') = await built('tfjs/index.js');

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    images: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '3' },
    batch: { type: 'string', default: '64' },
    workers: { type: 'string', default: '2' },
    backend: { type: 'string', default: 'auto' },
    folder: { type: 'string', default: '.cache/decoding' },
  },
});
const [count, rounds, batch] = [values.images, values.rounds, values.batch].map(Number);
const CLASSES = 4;

interface Line {
  name: string;
  imagesPerSecond: number;
  cpuMs: number;
}

const files = Array.from({ length: count }, (_, i) =>
  join(`class-${i % CLASSES}`, `${String(i).padStart(5, '0')}.jpg`),
);

/** Smooth shapes with some noise: some 60 kB each, as photographs of that size have. */
async function makeJpegs(): Promise<void> {
  for (let c = 0; c < CLASSES; c++) mkdirSync(join(values.folder, `class-${c}`), { recursive: true });
  for (const [i, file] of files.entries()) {
    const path = join(values.folder, file);
    if (existsSync(path)) continue;
    const [width, height] = i % 3 === 0 ? [375, 500] : [500, 375];
    const { uniform } = randomStream(1, 'jpeg', i);
    const waves = Array.from({ length: 6 }, () => [uniform() / 20, uniform() / 20, 6 * uniform(), 10 + 25 * uniform()]);
    const pixels = Buffer.alloc(width * height * 3);
    for (let at = 0; at < width * height; at++) {
      const [x, y] = [at % width, Math.floor(at / width)];
      for (let c = 0; c < 3; c++) {
        const wave = waves.reduce(
          (sum, [a, b, phase, high]) => sum + high * Math.sin(a * x + b * y + (1 + c) * phase),
          0,
        );
        pixels[3 * at + c] = Math.min(255, Math.max(0, 128 + wave + 40 * (uniform() - 0.5)));
      }
    }
    writeFileSync(
      path,
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 90 })
        .toBuffer(),
    );
  }
}

const open = (transform: object): Source =>
  imageFiles({
    ...{ name: 'jpegs', root: values.folder, files, labels: files.map((_, i) => i % CLASSES) },
    transform,
  });

const batches = Array.from({ length: Math.ceil(count / batch) }, (_, b) =>
  Int32Array.from({ length: Math.min(batch, count - b * batch) }, (_, i) => b * batch + i),
);

/** One pass through all images; `network` is called with each batch, while the next is read. */
async function pass(source: Source, draw: number | undefined, network: () => Promise<void>): Promise<number> {
  let waited = 0;
  for (const [b, indices] of batches.entries()) {
    if (b + 1 < batches.length) source.prefetch?.(batches[b + 1], { draw });
    const start = performance.now();
    const images = await source.batch(indices, { draw });
    if (b > 0) waited += performance.now() - start;
    await network();
    images.dispose();
  }
  return waited;
}

async function own(name: string, transform: object, draw?: number): Promise<Line> {
  const source = open(transform);
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await pass(source, draw, async () => {});
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { name, imagesPerSecond: count / seconds, cpuMs: (user + system) / 1000 / count };
}

function peers(): Line[] {
  if (!values.python) return [];
  const args = ['bench/peers/decoding.py', values.folder, '--batch', values.batch, '--workers', values.workers];
  const text = execFileSync(values.python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const { name: backend } = await chooseBackend({ backend: values.backend as 'auto' });
await makeJpegs();
await own('warm-up', { resize: 256, crop: 224 });
const seen = new Map<string, Line[]>();
for (let round = 0; round < rounds; round++) {
  const lines = [
    await own('eat-dml, resize 256, crop 224', { resize: 256, crop: 224 }),
    await own('eat-dml, random resized crop, flip', { randomResizedCrop: 224, flip: true }, round),
    ...peers(),
  ];
  for (const line of lines) seen.set(line.name, [...(seen.get(line.name) ?? []), line]);
}
console.log(`${count} JPEGs of 500 pixels, ${rounds} rounds, medians; backend ${backend}`);
for (const [name, lines] of seen) {
  const [rate, cpu] = [median(lines.map((line) => line.imagesPerSecond)), median(lines.map((line) => line.cpuMs))];
  console.log(
    `${name.padEnd(44)} ${rate.toFixed(0).padStart(6)} images/s  ${cpu.toFixed(2).padStart(6)} CPU ms an image`,
  );
}

// A network that is half as fast again as decoding is slow should find every batch ready.
const rate = median(seen.get('eat-dml, resize 256, crop 224')!.map((line) => line.imagesPerSecond));
const ms = (1.5 * 1000 * batch) / rate;
const gone = new Int32Array(new SharedArrayBuffer(4));
const networks: Record<string, () => Promise<void>> = {
  'leaves the event loop free': () => new Promise((then) => setTimeout(then, ms)),
  // As backends do whose kernels are computed in the call.
  'blocks the event loop': async () => void Atomics.wait(gone, 0, 0, ms),
};
const bytes = new Uint8Array(batch * 224 * 224 * 3).fill(1);
// As in a pass: in memory that the batch before had.
pixelTensor(bytes, [batch, 224, 224, 3]).dispose();
const start = performance.now();
pixelTensor(bytes, [batch, 224, 224, 3]).dispose();
console.log(`bytes become floats in ${(performance.now() - start).toFixed(1)} ms a batch`);
for (const [name, network] of Object.entries(networks)) {
  const waited = await pass(open({ resize: 256, crop: 224 }), undefined, network);
  const each = (waited / (batches.length - 1)).toFixed(1);
  console.log(`a network of ${ms.toFixed(0)} ms a batch that ${name} waited ${each} ms for each`);
}
