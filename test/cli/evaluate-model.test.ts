import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EvaluationReport, suite } from '../../src/evaluation/index.js';
import { QUICKER } from '../evaluation/brief.js';
import { withoutChecks } from '../evaluation/without-checks.js';
import { writeWeights } from '../models/published.js';
import { callCli, temporaryFolder } from './run-cli.js';

withoutChecks();

const folder = temporaryFolder();
const photographs = join(folder, 'photographs');
const [weights, module, config, brief] = ['headless.safetensors', 'model.mjs', 'config.json', 'brief.json'].map((n) =>
  join(folder, n),
);

/** Mean colours, never black, as unit rows. */
const MODULE = `export default { kind: 'mine', config: {}, build: ([h, w, c]) => ({
  inputShape: [h, w, c], embedding: 3, weights: new Map(), variables: () => [], dispose() {},
  apply: (x) => { const rows = x.add(0.01).mean([1, 2]); return rows.div(rows.square().sum(1, true).sqrt()); },
}) };`;

const attacks = [{ objective: { name: 'embedding-shift' }, attack: { name: 'pgd', epsilon: 0.01, steps: 1 } }];

beforeAll(async () => {
  writeWeights(weights, 'mobilenet_v2', { head: false });
  writeFileSync(module, MODULE);
  const classes = ['ant', 'bee', 'cat', 'dog'];
  for (const [c, name] of classes.entries()) {
    mkdirSync(join(photographs, name), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const at = (p: number) => (40 + 50 * ((c + p) % 4) + ((p * (i + 3)) % 29)) % 256;
      const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, (_, p) => at(p));
      const png = sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } }).png();
      await png.toFile(join(photographs, name, `${i}.png`));
    }
  }
  writeFileSync(
    config,
    JSON.stringify({
      seed: 7,
      data: { name: 'folder', root: photographs, split: 'none', transform: { resize: 16 } },
      evaluation: { attacks, epsilon: 0.02, count: 8 },
    }),
  );
  writeFileSync(brief, JSON.stringify({ evaluation: { attacks, epsilon: 0.01 } }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const evaluate = (...more: string[]) => callCli(['evaluate', '--backend', QUICKER, ...more]);
const onPhotographs = ['--data', `folder:${photographs}`, '--crop', '16', '--suite', 'quick'];
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

test('a run of a module of one’s own says how it is evaluated, and so it is', async () => {
  const [trainable, run] = ['trainable.mjs', 'module-run'].map((name) => join(folder, name));
  const models = JSON.stringify(join(process.cwd(), 'src/models/index.ts'));
  writeFileSync(
    trainable,
    `import { convEmbedder } from ${models};
     export default (shape, seed) => convEmbedder({ dimension: 2, width: 1 }).build(shape, seed);`,
  );
  const onThem = ['--data', `folder:${photographs}`, '--pixels', '16', '--method', 'standard', '--epochs', '1'];
  const given = ['--config', brief, '--model', trainable, ...onThem, '--out', run, '--backend', QUICKER];
  const { code, stdout, stderr } = await callCli(['train', ...given]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
  const next = /^Next: npx eat-dml (.*) --suite quick --report report.html$/m.exec(stdout)![1].split(' ');
  expect(next).toEqual(['evaluate', run, '--config', `${run}/run.json`]);
  const evaluated = await callCli([...next, '--count', '6', '--json']);
  const report = JSON.parse(evaluated.stdout) as EvaluationReport & { run: string };
  expect({ code: evaluated.code, run: report.run }).toEqual({ code: 0, run });
  expect(report.attacks.map(({ objective }) => objective)).toEqual(['embedding-shift', 'composite']);
});

test('a module of one’s own gets the report of a run, whose manifest says that there is none', async () => {
  const out = join(folder, 'report.json');
  const { code, stdout, stderr } = await evaluate('--model', module, ...onPhotographs, '--split', 'none', '--out', out);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('12 images of folder') });
  expect(stdout).toMatch(/^Worst case: NMI/m);
  const line = `no run: the network module of ${module} (sha256 ${sha256(module).slice(0, 12)});`;
  expect(stdout).toContain(`${line} what it was trained on is not known, and these images may be among it`);
  const report = JSON.parse(readFileSync(out, 'utf8')) as EvaluationReport & { run: null; model: string };
  expect(report).toMatchObject({ command: 'evaluate', run: null, model: module });
  expect(report.manifest).toMatchObject({
    ...{ run: null, trainedOn: null, network: { kind: 'module', file: module, sha256: sha256(module) } },
    ...{ samples: 12, classes: 4, epsilon: 0.1, members: 1 },
  });
  expect(report.attacks).toHaveLength(suite('quick', {}).length + 1);
  expect(report.perSample).toBeDefined();
});

test('published weights without a head are measured as unit features, on the side that papers test on', async () => {
  const args = ['--model', 'mobilenet-v2', '--weights', weights, ...onPhotographs.slice(0, 2), '--crop', '32'];
  const { code, stdout } = await evaluate(...args, '--backend', 'auto', '--config', brief, '--seed', '3', '--json');
  expect(code).toBe(0);
  const { manifest } = JSON.parse(stdout) as EvaluationReport;
  expect(manifest).toMatchObject({ samples: 6, classes: 2, epsilon: 0.01, seed: 3 });
  expect(manifest.network).toEqual({ kind: 'mobilenet-v2', file: weights, sha256: sha256(weights) });
});

test('a file gives data and evaluation, and flags go before it', async () => {
  const { code, stdout } = await evaluate('--model', module, '--config', config, '--epsilon', '0.03', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout).manifest).toMatchObject({ samples: 8, seed: 7, epsilon: 0.03 });
  const half = await evaluate('--model', module, '--config', config, '--split', 'papers', '--json');
  expect(JSON.parse(half.stdout).manifest).toMatchObject({ samples: 6, seed: 7, epsilon: 0.02 });
});

test.each([
  [[], 'Expected a run or --model to evaluate but received neither.'],
  [['some-run', '--model', 'x.mjs'], 'Expected a run or --model to evaluate but received both.'],
  [['some-run', '--data', 'emoji'], 'Expected no --data beside a run: its data and network are its own.'],
  [['some-run', '--skip-broken', '1'], 'Expected no --skip-broken beside a run'],
  [
    ['--model', 'x.mjs', '--allow-seen'],
    'Expected no --allow-seen beside --model: what it was trained on is not known.',
  ],
  [['--model', 'x.mjs'], 'Expected --data, or data in --config, beside --model but found neither.'],
  [['--model', 'x.mjs', '--data', 'emoji', '--crop', '8'], 'Expected no --crop with the data emoji.'],
  [['--model', 'mobilenet-v2'], 'Expected --weights with --model mobilenet-v2: without them its embeddings are drawn.'],
  [['--model', 'gone.mjs', ...onPhotographs], 'Expected a module that loads at gone.mjs'],
  [['--model', module, ...onPhotographs, '--split', 'half'], 'one of papers, random, none for split'],
])('evaluate %j: one clear sentence', async (more, sentence) => {
  const { code, stdout, stderr } = await evaluate(...more);
  expect(code).toBeGreaterThan(1);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: expect.stringContaining(sentence) });
});
