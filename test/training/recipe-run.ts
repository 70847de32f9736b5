import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { imageFiles } from '../../src/data/index.js';
import { convEmbedder, type Ensemble } from '../../src/models/index.js';
import { eat, train } from '../../src/training/index.js';
import { QUICKER } from '../evaluation/brief.js';

/**
 * A run with all that a recipe has, into the folder given: with random views of image files, a warm-up, a schedule, clipping, a moving
 * average and a validation under attack. Says each step on stdout, and at the end what it came to.
 */
const [dir, root] = process.argv.slice(2);
const files = Array.from({ length: 40 }, (_, i) => `${i}.png`);
const labels = files.map((_, i) => i % 5);

const valuesOf = ({ members }: Ensemble) => {
  const hash = createHash('sha256');
  for (const { weights } of members) for (const weight of weights.values()) hash.update(weight.dataSync());
  return hash.digest('hex');
};

const ensemble = await train({
  data: imageFiles({
    name: 'files',
    root,
    files,
    labels,
    seed: 5,
    transform: { resize: 9, randomResizedCrop: 8, flip: true },
  }),
  ...{
    model: convEmbedder({ dimension: 4, width: 2 }),
    seed: 4,
    epochs: 5,
    batch: { classes: 3, images: 3 },
    backend: QUICKER,
  },
  method: eat({ members: 2, attack: { epsilon: 0.1, steps: 2 }, transfer: 'mix' }),
  ...{
    warmUp: 1,
    schedule: { name: 'cosine', floor: 0.1, warmUp: { steps: 4 } },
    clip: { norm: 2 },
    ema: 0.8,
    decay: 'kernels',
  },
  validation: { classes: 0.4, metric: 'attackedMapAtR', every: 2, attack: { epsilon: 0.1, steps: 2, count: 7 } },
  checkpoint: { dir, everySteps: 2, run: { by: 'test' } },
  resume: existsSync(join(dir, 'manifest.json')),
  onProgress: ({ step }) => process.stdout.write(`step ${step}\n`),
});
const { seconds: _, ...history } = ensemble.history;
const best = await loadEnsemble(join(dir, 'best'));
const [proxies] = ensemble.proxies;
const bits = { weights: valuesOf(ensemble), proxies: Array.from(proxies.dataSync()), best: valuesOf(best) };
process.stdout.write(`${JSON.stringify({ ...bits, history })}\n`);
