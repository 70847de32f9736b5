import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { writeNpy } from '../../src/data/index.js';
import { randomStream } from '../../src/random.js';
import { root, run } from '../packaging/run.js';

/**
 * What every block of the pages may take for granted: a project with the package, `photos/` with six classes of eight images, a
 * `config.json` for them, a run in `runs/eat` and what it measured in `runs/eat.json`, and embeddings of another program.
 */
export const CONFIG = {
  data: { name: 'folder', root: 'photos', transform: { resize: 36, randomResizedCrop: 32, flip: true } },
  model: { kind: 'conv', width: 8, dimension: 16 },
  method: { name: 'eat', members: 2, attack: { epsilon: 0.03, steps: 2 } },
  training: { epochs: 1, batch: { classes: 3, images: 4 } },
  evaluation: { suite: 'quick' },
  seed: 1,
};
const CLASSES = ['ant', 'bee', 'cat', 'dog', 'elk', 'fox'];
const CLI = join(root, 'dist/cli/main.js');

export interface Stage {
  folder: string;
  /** A copy, in which what a page does stays its own. */
  copy(): string;
  dispose(): void;
}

/** With a run, unless nothing will be run on it. */
export async function makeStage(withRun: boolean): Promise<Stage> {
  const made = mkdtempSync(join(tmpdir(), 'eat-dml-docs-'));
  const folder = join(made, 'stage');
  mkdirSync(folder);
  linkProject(folder);
  await paintPhotos(join(folder, 'photos'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG, null, 2));
  await writeEmbeddings(folder);
  if (withRun) {
    await succeed(folder, ['train', '--config', 'config.json', '--out', 'runs/eat']);
    const brief = ['--suite', 'quick', '--count', '8'];
    await succeed(folder, ['evaluate', 'runs/eat', ...brief, '--out', 'runs/eat.json']);
  }
  let copies = 0;
  return {
    folder,
    copy() {
      const to = join(made, `copy-${copies++}`);
      cpSync(folder, to, { recursive: true, verbatimSymlinks: true });
      return to;
    },
    dispose: () => rmSync(made, { recursive: true, force: true }),
  };
}

/** `eat-dml ARGS` in a process of its own. */
export const eatDml = (folder: string, args: string[]) =>
  run(process.execPath, [CLI, ...args], { cwd: folder, env: ENV });

export const ENV = { EAT_DML_NATIVE_PATH: undefined, EAT_DML_ISA: undefined, NO_COLOR: '1' };

async function succeed(folder: string, args: string[]): Promise<void> {
  const { code, stderr } = await eatDml(folder, args);
  if (code !== 0) throw new Error(`eat-dml ${args.join(' ')} ended with ${code}: ${stderr}`);
}

/** A project in which the package is installed, by links: Node and tsc find what it depends on from where it really is. */
function linkProject(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  symlinkSync(root, join(packages, 'eat-dml'));
  for (const name of ['@tensorflow', '@types', 'sharp', 'zod']) {
    symlinkSync(join(root, 'node_modules', name), join(packages, name));
  }
  // What README calls them.
  for (const name of ['my-images', 'photographs']) symlinkSync('photos', join(folder, name));
}

async function paintPhotos(folder: string): Promise<void> {
  const { uniform } = randomStream(1, 'photos');
  const [width, height] = [48, 40];
  for (const [kind, name] of CLASSES.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < 8; i++) {
      const pixels = new Uint8Array(width * height * 3);
      for (let p = 0; p < pixels.length; p++) {
        const [channel, x] = [p % 3, Math.floor(p / 3) % width];
        pixels[p] = 80 + 60 * Math.sin(((kind + 1) * x) / 9 + channel * kind) + 60 * uniform();
      }
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(join(folder, name, `${i}.png`));
    }
  }
}

/** 60 rows of 8 columns in five classes, as another program would have them. */
async function writeEmbeddings(folder: string): Promise<void> {
  const { uniform } = randomStream(1, 'embeddings');
  const labels = Int32Array.from({ length: 60 }, (_, i) => i % 5);
  const data = Float32Array.from({ length: 60 * 8 }, (_, i) => (i % 8 === labels[i >> 3] ? 1 : 0) + 0.3 * uniform());
  await writeNpy(join(folder, 'embeddings.npy'), { shape: [60, 8], data });
  await writeNpy(join(folder, 'labels.npy'), { shape: [60], data: labels });
}
