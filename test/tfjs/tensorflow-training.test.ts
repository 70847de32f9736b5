import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { type Dataset, datasetFromArrays } from '../../src/data/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { randomStream } from '../../src/random.js';
import type { BackendName } from '../../src/tfjs/index.js';
import { resetTensorKernelCalls, tensorKernelCalls } from '../../src/tfjs/index.js';
import { eat, type TrainOptions, train } from '../../src/training/index.js';
import { LONG } from '../long.js';
import { program } from '../program.js';
import { backends } from './backends.js';
import { difference } from './close.js';
import { describeTensorflow } from './describe-tensorflow.js';
import { tensorflowBackend } from './tensorflow.js';

const STEPS = LONG ? 2000 : 200;

/** Four classes, each a bar of its own under noise. */
function bars(count: number, side = 10): Dataset {
  const { uniform } = randomStream(3, 'bars');
  const labels = Int32Array.from({ length: count }, (_, i) => i % 4);
  const pixel = (i: number) =>
    (Math.floor((i % side) / 2) === labels[Math.floor(i / side ** 2)] ? 180 : 0) + 60 * uniform();
  const images = Uint8Array.from({ length: count * side ** 2 }, (_, i) => pixel(i));
  return datasetFromArrays({ name: 'bars', images, labels, shape: [side, side, 1] });
}

const attack = { epsilon: 0.1, steps: 3 };
const options = (backend: BackendName, more: Partial<TrainOptions> = {}): TrainOptions => ({
  data: bars(96),
  model: convEmbedder({ dimension: 8, width: 8 }),
  method: eat({ members: 2, attack }),
  ...{ seed: 5, epochs: 1, batch: { size: 16 }, backend },
  ...more,
});

describeTensorflow('training on tensorflow', () => {
  test('an epoch of EAT crafts by custom ops, learns, is saved and loaded', async () => {
    await tensorflowBackend();
    const dir = join(mkdtempSync(join(tmpdir(), 'eat-dml-tensorflow-')), 'run');
    const before = tf.memory().numTensors;
    resetTensorKernelCalls();
    const trained = await train(options('tensorflow', { epochs: 3, checkpoint: dir }));
    const { losses, steps } = trained.history;
    expect(losses.at(-1)!).toBeLessThan(losses[0]);
    expect(tensorKernelCalls()).toMatchObject([
      { path: 'custom op', calls: steps * (attack.steps + 1), bytesCopied: 0 },
    ]);
    const images = { images: bars(96).images, shape: [10, 10, 1] as [number, number, number] };
    const embeddings = await trained.embed(images);
    const loaded = await loadEnsemble(dir);
    expect((await loaded.embed(images)).data).toEqual(embeddings.data);
    trained.dispose();
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
    rmSync(dir, { recursive: true });
  });

  test('a run that was interrupted goes on', async () => {
    const dir = join(mkdtempSync(join(tmpdir(), 'eat-dml-tensorflow-')), 'run');
    const whole = await train(options('tensorflow', { epochs: 2 }));
    (await train(options('tensorflow', { checkpoint: dir }))).dispose();
    const resumed = await train(options('tensorflow', { epochs: 2, checkpoint: dir, resume: true }));
    expect(difference(resumed.history.losses, whole.history.losses)).toBeLessThan(1e-3);
    whole.dispose();
    resumed.dispose();
    rmSync(dir, { recursive: true });
  });

  test.each(backends.filter((name) => name !== 'tensorflow' && name !== 'cpu'))(
    'the same seed gives what it gives on %s: batches, starts of attacks, weights',
    async (other) => {
      const first: Record<string, number> = {};
      for (const backend of ['tensorflow', other] as const) {
        const onProgress = ({ step, loss }: { step: number; loss: number }) => {
          if (step === 1) first[backend] = loss;
        };
        (await train(options(backend, { onProgress }))).dispose();
      }
      // Of the first step, before rounding has grown.
      expect(Math.abs(first[other] / first.tensorflow - 1)).toBeLessThan(1e-3);
    },
  );

  test(`${STEPS} steps leave memory and handles flat`, async () => {
    const steps = await program('test/tfjs/tensorflow-steps.ts');
    const run = promisify(execFile)(process.execPath, ['--expose-gc', steps, String(STEPS)]);
    const { stdout } = await run;
    const held = JSON.parse(stdout.slice(stdout.indexOf('['))) as Record<
      'step' | 'rss' | 'tensors' | 'handles',
      number
    >[];
    console.log(
      `tensorflow, ${STEPS} steps: ${held.map((h) => `${h.rss.toFixed(0)} MiB ${h.handles} handles`).join(', ')}`,
    );
    const [first, last] = [held[0], held.at(-1)!];
    expect(last.step).toBe(STEPS);
    expect([last.tensors, last.handles]).toEqual([first.tensors, first.handles]);
    // One batch of images is 18 kB: kept each step, 1,000 of them would be 18 MiB, and activations more.
    if (LONG) expect(last.rss - Math.min(first.rss, held[1].rss)).toBeLessThan(12);
  }, 400_000);
});
