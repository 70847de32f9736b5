/**
 * The most memory that an evaluation of photographs in Stanford Online Products' layout holds:
 *   npx tsx bench/sop-memory.ts [--images 60502] [--classes 11316] [--steps 2] [--backend native] [--folder .cache/sop]
 * The photographs are made: 224 x 224 pixels in one colour, so that a file has a kilobyte and decodes to 150. Two attacks of a small
 * network, one of each image alone and one of the whole set, whose images go through twice. All 60,502 take hours on two cores: run it
 * with several counts of images to see what grows.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { convEmbedder, evaluate, objective, openData, pgd, proxyAnchor, train } from '../src/index.js';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '60502' },
    classes: { type: 'string', default: '11316' },
    steps: { type: 'string', default: '2' },
    backend: { type: 'string', default: 'native' },
    folder: { type: 'string', default: '.cache/sop' },
  },
});
const [images, classes, steps] = [values.images, values.classes, values.steps].map(Number);
const TRAINED = 12;
const folder = join(values.folder, `${images}-${classes}`);

/** A list of the archive, as SOP has it, and its photographs, each in a colour of its own. */
async function makeSide(list: string, first: number, count: number, label: (i: number) => number): Promise<void> {
  if (existsSync(join(folder, list))) return;
  const rows: string[] = [];
  for (let i = 0; i < count; i++) {
    const path = `kind_${i % 12}_final/${first + i}_0.JPG`;
    mkdirSync(join(folder, path, '..'), { recursive: true });
    const [r, g, b] = [(37 * label(i)) % 256, (101 * label(i) + i) % 256, (label(i) >> 4) % 256];
    const create = { width: 224, height: 224, channels: 3, background: { r, g, b } } as const;
    await sharp({ create }).jpeg({ quality: 60 }).toFile(join(folder, path));
    rows.push(`${first + i} ${label(i)} ${1 + (i % 12)} ${path}`);
  }
  writeFileSync(join(folder, list), `image_id class_id super_class_id path\n${rows.join('\n')}\n`);
}

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
const peak = () => megabytes(process.resourceUsage().maxRSS * 1024);

await makeSide('Ebay_train.txt', 1, TRAINED, (i) => 1 + (i % 3));
await makeSide('Ebay_test.txt', TRAINED + 1, images, (i) => 4 + Math.floor((i * classes) / images));
const transform = { resize: 224, crop: 224 };
const { train: learnt, test } = await openData('sop', { root: folder, transform });
const backend = values.backend as 'native';
const model = convEmbedder({ width: 2, dimension: 16 });
const ensemble = await train({ data: learnt!, model, loss: proxyAnchor(), epochs: 1, batch: { size: 4 }, backend });
const before = peak();
const start = performance.now();
const settings = { steps, epsilon: 8 / 255 };
const report = await evaluate(ensemble, test!, {
  attacks: ['embedding-shift', 'joint-set'].map((name) => ({
    name,
    objective: objective(name),
    settings: pgd(settings),
  })),
  ...{ clusterRestarts: 1, backend },
  onProgress: ({ done, total }) => process.stderr.write(`\r${done} of ${total}`),
});
const { samples, k } = report.manifest;
const minutes = ((performance.now() - start) / 60_000).toFixed(1);
console.log(
  `\n${samples} images of 224 x 224 pixels, k = ${k}, ${report.attacks.length} attacks of ${steps} steps: ${minutes} min`,
);
console.log(`peak resident memory ${peak()} MB; before the evaluation ${before} MB`);
ensemble.dispose();
