/**
 * The most memory that an evaluation of photographs in Stanford Online Products' layout holds:
 *   npx tsx bench/sop-memory.ts [--images 60502] [--classes 11316] [--attacks embedding-shift,joint-set] [--steps 2] [--batch 256]
 *     [--backend native] [--folder .cache/sop]
 * The photographs are made: 224 x 224 pixels in one colour, so that a file has a kilobyte and decodes to 150. A network of few pixels
 * (stride 16) stands for one whose memory is not looked at. Of an attack on the whole set (joint-set) every image goes through twice, and
 * lies on disk meanwhile: 36 GB for all of SOP.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { evaluate, objective, openData, pgd, proxyAnchor, train } from '../src/index.js';
import { networkModel } from '../src/models/network.js';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '60502' },
    classes: { type: 'string', default: '11316' },
    attacks: { type: 'string', default: 'embedding-shift,joint-set' },
    steps: { type: 'string', default: '2' },
    batch: { type: 'string', default: '256' },
    backend: { type: 'string', default: 'native' },
    folder: { type: 'string', default: '.cache/sop' },
  },
});
const [images, classes, steps, batchSize] = [values.images, values.classes, values.steps, values.batch].map(Number);
const TRAINED = 12;
/** Numbers of images from here on are none of SOP's: the last of those would ask for all. */
const UNPUBLISHED = 200_000;
const folder = join(values.folder, `${images}-${classes}`);

/** A list of the archive, as SOP has it, and its photographs, each in a colour of its own. */
async function makeSide(list: string, first: number, count: number, label: (i: number) => number): Promise<void> {
  if (existsSync(join(folder, list))) return;
  const places = Array.from({ length: count }, (_, i) => `kind_${i % 12}_final/${first + i}_0.JPG`);
  for (const place of places.slice(0, 12)) mkdirSync(join(folder, place, '..'), { recursive: true });
  const make = async (i: number) => {
    const [r, g, b] = [(37 * label(i)) % 256, (101 * label(i) + i) % 256, (label(i) >> 4) % 256];
    const create = { width: 224, height: 224, channels: 3, background: { r, g, b } } as const;
    await sharp({ create }).jpeg({ quality: 60 }).toFile(join(folder, places[i]));
  };
  for (let from = 0; from < count; from += 256) {
    await Promise.all(places.slice(from, from + 256).map((_, at) => make(from + at)));
  }
  const rows = places.map((place, i) => `${UNPUBLISHED + first + i} ${label(i)} ${1 + (i % 12)} ${place}`);
  writeFileSync(join(folder, list), `image_id class_id super_class_id path\n${rows.join('\n')}\n`);
}

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
const peak = () => megabytes(process.resourceUsage().maxRSS * 1024);

await makeSide('Ebay_train.txt', 1, TRAINED, (i) => 1 + (i % 3));
await makeSide('Ebay_test.txt', TRAINED + 1, images, (i) => 4 + Math.floor((i * classes) / images));
const transform = { resize: 224, crop: 224 };
const { train: learnt, test } = await openData('sop', { root: folder, transform });
const backend = values.backend as 'native';
const model = networkModel('patches', { dimension: 16 }, [
  { type: 'conv', name: 'patches', filters: 8, size: 16, strides: 16, padding: 'same', bias: true, activation: 'relu' },
  { type: 'mean-pool' },
  { type: 'dense', name: 'embedding', units: 16 },
]);
const ensemble = await train({ data: learnt!, model, loss: proxyAnchor(), epochs: 1, batch: { size: 4 }, backend });
const before = peak();
const start = performance.now();
let attacking: number | undefined;
const settings = { steps, epsilon: 8 / 255 };
const report = await evaluate(ensemble, test!, {
  attacks: values.attacks.split(',').map((name) => ({
    name,
    objective: objective(name as 'joint-set'),
    settings: pgd(settings),
  })),
  ...{ clusterRestarts: 1, batchSize, backend },
  onProgress: ({ done, total }) => {
    attacking ??= peak();
    process.stderr.write(`\r${done} of ${total}`);
  },
});
const { samples, k } = report.manifest;
const minutes = ((performance.now() - start) / 60_000).toFixed(1);
console.log(
  `\n${samples} images of 224 x 224 pixels, k = ${k}, ${report.attacks.length} attacks of ${steps} steps: ${minutes} min`,
);
const phases = `after training ${before} MB, after the first attacked batch ${attacking} MB, in the end ${peak()} MB`;
console.log(`peak resident memory ${phases}; batches of ${batchSize}`);
ensemble.dispose();
