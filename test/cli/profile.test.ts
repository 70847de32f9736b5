import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
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
