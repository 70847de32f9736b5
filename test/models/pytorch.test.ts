import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportWeights } from '../../src/checkpoints/index.js';
import { readNpy, writeNpy } from '../../src/data/index.js';
import { type Ensemble, mobilenetV2, resnet18 } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { type TrainedEnsemble, train } from '../../src/training/index.js';
import { LONG } from '../long.js';
import { tinyImages } from './tiny-images.js';

/** Whether this machine has what the other program needs. */
function hasTorch(): boolean {
  try {
    const needed = '["numpy", "safetensors", "torch", "torchvision"]';
    const program = `import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ${needed})))`;
    execFileSync('python3', ['-c', program], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('skipped: python3 with torch, torchvision, safetensors and numpy is not here');
    return false;
  }
}

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eat-dml-pytorch-'));
  await chooseBackend();
});
afterAll(() => rmSync(folder, { recursive: true }));

const data = tinyImages({ size: 48, channels: 3, perClass: 4 });

async function embeddedByTorch(ensemble: Ensemble, arch: string): Promise<Float32Array> {
  const [weights] = await exportWeights(ensemble, join(folder, arch));
  const [images, out] = ['images', 'out'].map((name) => join(folder, `${name}.npy`));
  const pixels = Float32Array.from(data.images, (byte) => byte / 255);
  await writeNpy(images, { shape: [data.length, ...data.shape], data: pixels });
  execFileSync('python3', ['test/models/pytorch.py', weights, arch, images, out], { stdio: 'pipe' });
  return (await readNpy(out)).data as Float32Array;
}

test.skipIf(!LONG || !hasTorch()).each([
  ['resnet18', resnet18],
  ['mobilenet_v2', mobilenetV2],
] as const)('%s trained here gives its embeddings in PyTorch, too', async (arch, model) => {
  let ensemble: TrainedEnsemble | undefined;
  try {
    ensemble = await train({ data, model: model({ dimension: 16 }), epochs: 2, batch: { size: 8 }, seed: 1 });
    const [own, theirs] = [(await ensemble.embed(data)).data, await embeddedByTorch(ensemble, arch)];
    expect(theirs).toHaveLength(own.length);
    const worst = own.reduce((far, value, i) => Math.max(far, Math.abs(value - theirs[i])), 0);
    expect(worst).toBeLessThanOrEqual(1e-5);
    // Two epochs have moved every layer, and the images differ.
    expect(Math.abs(own[0] - own[16])).toBeGreaterThan(1e-3);
  } finally {
    ensemble?.dispose();
  }
});
