import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { kernelProfileLines } from '../../src/cli/kernel-profile.js';
import { runCli, temporaryFolder, writeTinyImages } from './run-cli.js';

const folder = temporaryFolder();
const config = join(folder, 'config.json');

beforeAll(async () => {
  const data = { name: 'idx', ...(await writeTinyImages(folder)) };
  const attack = { epsilon: 0.1, steps: 2 };
  const training = { epochs: 2, batch: { size: 12 } };
  const model = { kind: 'conv', width: 2, dimension: 4 };
  writeFileSync(config, JSON.stringify({ data, model, training, method: { name: 'at', attack }, backend: 'cpu' }));
});

test('--tensorboard writes an event per step, --profile says which path the attack steps took', async () => {
  const [out, events] = [join(folder, 'run'), join(folder, 'events')];
  const args = ['train', '--config', config, '--out', out, '--tensorboard', events, '--profile', '--json'];
  const { code, stdout, stderr } = await runCli(args);
  expect(code).toBe(0);
  const { history, profile } = JSON.parse(stdout) as {
    history: { steps: number };
    profile: { tensorKernels: object[] };
  };
  // Two steps of the attack and its random start, on a backend whose values are in arrays of their own.
  expect(profile.tensorKernels).toMatchObject([{ kernel: 'attackStep', path: 'copies', calls: 3 * history.steps }]);
  expect(stderr).toMatch(/Kernels on tensors\n {2}attackStep {2}copies {2}\d+ calls/);
  const [file] = readdirSync(events);
  const written = readFileSync(join(events, file)).toString('latin1');
  // As a tag, with its length before it: settings have the word in theirs, too.
  expect(written.split('\n\u0004loss')).toHaveLength(history.steps + 1);
  for (const tag of ['learning rate', 'examples/7', '_hparams_/session_start_info', 'method.attack.epsilon']) {
    expect(written).toContain(tag);
  }
  const { plan } = JSON.parse(stdout) as { plan: { steps: number; images: number } };
  expect(plan).toMatchObject({ steps: history.steps, images: 12, members: 1, epochs: 2 });
  expect(stderr).toMatch(
    /plan: a network of [\d,]+ parameters; 2 epochs, 6 steps of 12 images; about \d+ MB of tensors/,
  );
});

test('without them there is no event file and no profile', async () => {
  const { code, stdout, stderr } = await runCli([
    'train',
    '--config',
    config,
    '--out',
    join(folder, 'plain'),
    '--json',
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).not.toHaveProperty('profile');
  expect(stderr).not.toContain('Kernels on tensors');
  expect(existsSync(join(folder, 'plain/events'))).toBe(false);
});

test('a profile of the backend native lists kernels, then layers, the longest first, with their rates', () => {
  const kernel = { kernel: 'Conv2D', path: 'native' as const, calls: 2, milliseconds: 100, flops: 2e9 };
  const layer = (shapes: string, milliseconds: number) => ({ ...kernel, shapes, milliseconds, bytes: 1e9 });
  const layers = [layer('x'.repeat(500), 60), layer('8x4, 4x4 -> 8x4', 40)];
  const lines = kernelProfileLines({ milliseconds: 200, kernels: [kernel], layers });
  expect(lines.find((line) => line.startsWith('Conv2D (native)'))).toMatch(/ 2 +0\.100 +50\.0% +20\.0/);
  const [long, short] = lines.slice(-2);
  // 1 GB in 60 and in 40 ms, 2 GFLOP in 40.
  expect(long).toMatch(/ 30\.0% .* 16\.7 {2}Conv2D x{120}\.\.\.$/);
  expect(short).toMatch(/ 20\.0% +50\.0 .* 25\.0 {2}Conv2D 8x4, 4x4 -> 8x4$/);
});
