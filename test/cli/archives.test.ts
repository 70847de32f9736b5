import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadEnsemble } from '../../src/checkpoints/index.js';
import { openData, readNpy } from '../../src/data/index.js';
import { evaluate } from '../../src/evaluation/index.js';
import { convEmbedder } from '../../src/models/index.js';
import { chooseBackend } from '../../src/tfjs/index.js';
import { train } from '../../src/training/index.js';
import { briefAttacks, CONFIGURED_ATTACKS, QUICKER, threeAttacks } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { LONG } from '../long.js';
import { callCli, runCli, temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
const images = join(folder, 'photographs');
const LOOK = { transform: { resize: 10, randomResizedCrop: 8, flip: true }, channels: 1 };

/** Stripes whose width and lightness are those of their class. */
async function paint(path: string, kind: number, i: number): Promise<void> {
  const [width, height] = [14 + i, 12];
  const pixels = Uint8Array.from({ length: width * height }, (_, at) => 40 * kind + 30 * ((at >> (kind + 1)) & 1) + i);
  await sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(path);
}

beforeAll(async () => {
  for (const [kind, name] of ['ant', 'bee', 'cat', 'dog'].entries()) {
    mkdirSync(join(images, name), { recursive: true });
    for (let i = 0; i < 6; i++) await paint(join(images, name, `${i}.png`), kind, i);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a folder of images goes from inspection through training to scores of its embeddings', async () => {
  const inspected = await callCli(['data', 'inspect', images, '--json']);
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    ...{ layout: 'folder', images: 24, classes: 4, faults: [] },
    splits: { train: { images: 12, classes: 2 }, test: { images: 12, classes: 2 } },
  });
  expect(Object.values(JSON.parse(inspected.stdout).classNames)).toContain('cat');
  const { stdout: text } = await callCli(['data', 'inspect', images]);
  expect(text).toMatch(/^folder: 24 images of 4 classes\n {2}classes {4}\w+(, \w+){3}\n {2}train/);
  // One that is broken is left out by choice, at every step.
  const broken = join(images, 'cat', '3-broken.png');
  writeFileSync(broken, 'no picture');
  const verified = await callCli(['data', 'inspect', images, '--verify', '--json']);
  expect(JSON.parse(verified.stdout)).toMatchObject({ faults: [expect.stringContaining(broken)], faultCount: 1 });
  expect([inspected.code, verified.code]).toEqual([0, 4]);
  const without = await callCli(['data', 'inspect', images, '--skip-broken', '1', '--json']);
  expect(without.stderr).toMatch(/inspect {2}checking images {2}1\/25 {2}\d+ images\/s/);
  expect(without.code).toBe(0);
  expect(JSON.parse(without.stdout)).toMatchObject({ leftOut: ['cat/3-broken.png'], hash: expect.any(String) });
  const config = join(folder, 'config.json');
  const run = join(folder, 'run');
  const settings = {
    ...{ data: { name: 'folder', root: images, ...LOOK }, model: { kind: 'conv', width: 2, dimension: 4 } },
    ...{
      training: { epochs: 2, batch: { classes: 2, images: 3 } },
      evaluation: { attacks: CONFIGURED_ATTACKS },
      backend: QUICKER,
    },
  };
  writeFileSync(config, JSON.stringify(settings));
  const trained = await runCli([
    'train',
    '--config',
    config,
    '--data',
    `folder:${images}`,
    '--method',
    'standard',
    '--skip-broken',
    '2',
    '--out',
    run,
  ]);
  expect(trained.stderr).toContain(`leaves out a broken image. Expected a JPEG, PNG`);
  expect([trained.code, trained.stderr]).toEqual([0, expect.stringContaining('12 images of folder')]);
  expect(trained.stderr).toMatch(/train standard {2}hashing images {2}1\/\d+ .*\n/);
  passChecks();
  const [evaluated, embedded] = await Promise.all([
    callCli(['evaluate', run, '--json']),
    callCli([
      'embed',
      run,
      '--data',
      `folder:${images}`,
      '--out',
      join(folder, 'e.npy'),
      '--backend',
      QUICKER,
      '--skip-broken',
      '1',
    ]),
  ]);
  rmSync(broken);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({
    manifest: { dataset: 'folder', samples: 12, k: 2, leftOut: ['cat/3-broken.png'] },
  });
  expect(embedded.stderr).toMatch(/embed {2}(checking|embedding) images/);
  expect([embedded.code, embedded.stdout]).toEqual([0, expect.stringContaining('24 x 4 in')]);
  const { shape } = await readNpy(join(folder, 'e.npy'));
  const labels = await readNpy(join(folder, 'e.labels.npy'));
  expect(shape).toEqual([24, 4]);
  expect(Array.from(labels.data)).toEqual(Array.from({ length: 24 }, (_, i) => Math.floor(i / 6)));
}, 120_000);

test('inspection counts the faults that it does not tell, decoded or not, and ends with 4', async () => {
  const many = join(folder, 'broken');
  for (const kind of ['ant', 'bee']) mkdirSync(join(many, kind), { recursive: true });
  for (let i = 0; i < 33; i++) writeFileSync(join(many, i % 2 ? 'ant' : 'bee', `${i}.png`), i < 30 ? '' : 'no picture');
  for (const [flags, all] of [
    [[], 30],
    [['--verify'], 33],
  ] as const) {
    const { code, stdout } = await callCli(['data', 'inspect', many, ...flags]);
    expect(code).toBe(4);
    expect(stdout.match(/^Expected /gm)).toHaveLength(20);
    expect(stdout).toMatch(new RegExp(`^and ${all - 20} more, ${all} faults in all$`, 'm'));
  }
});

test('Ctrl-C ends the check of images', async () => {
  const many = join(folder, 'many');
  for (const kind of ['ant', 'bee']) mkdirSync(join(many, kind), { recursive: true });
  const one = join(folder, 'large.png');
  await sharp({ create: { width: 2000, height: 2000, channels: 3, background: '#456' } })
    .png()
    .toFile(one);
  // Seconds of work, of one file by many names.
  for (let i = 0; i < 800; i++) linkSync(one, join(many, i % 2 ? 'ant' : 'bee', `${i}.png`));
  let sent = false;
  const { code, stdout, stderr } = await runCli(['data', 'inspect', many, '--skip-broken', '1', '--json'], {
    onStderr: (text, kill) => {
      if (sent || !text.includes('checking images')) return;
      sent = true;
      kill('SIGINT');
    },
  });
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('ERR_ABORTED');
});

test('an inspection prints the first names of many classes', async () => {
  const many = join(folder, 'classes');
  const one = join(images, 'ant', '0.png');
  for (let i = 10; i < 22; i++) {
    mkdirSync(join(many, `c${i}`), { recursive: true });
    linkSync(one, join(many, `c${i}`, '0.png'));
  }
  const { stdout } = await callCli(['data', 'inspect', many]);
  expect(stdout.split('\n')[1]).toBe('  classes    c10, c11, c12, c13, c14, c15, c16, c17, c18, c19 and 2 more');
  const { stdout: json } = await callCli(['data', 'inspect', many, '--json']);
  expect(Object.keys(JSON.parse(json).classNames)).toHaveLength(12);
});

test('--pixels is the size of what files are trained at', async () => {
  const out = join(folder, 'small');
  const config = join(folder, 'small.json');
  writeFileSync(config, JSON.stringify({ model: { kind: 'conv', width: 2, dimension: 4 }, backend: QUICKER }));
  const brief = ['--config', config, '--method', 'standard', '--epochs', '1', '--skip-broken', '1', '--out', out];
  const trained = await callCli(['train', '--data', `folder:${images}`, '--pixels', '14', ...brief, '--json']);
  expect([trained.code, trained.stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(trained.stdout).config.data).toMatchObject({
    transform: { resize: 16, randomResizedCrop: 14, flip: true },
  });
  const { members } = await loadEnsemble(out);
  expect(members[0].inputShape.slice(0, 2)).toEqual([14, 14]);
  const refused = await callCli(['train', '--data', 'fashion-mnist', '--pixels', '14', '--out', join(folder, 'none')]);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('Expected no --pixels with the data fashion-mnist'),
  ]);
}, 60_000);

test('train says of a broken image on the test side before it trains, and ends at once with one that it would learn from', async () => {
  const config = join(folder, 'looked.json');
  writeFileSync(config, JSON.stringify({ model: { kind: 'conv', width: 2, dimension: 4 }, backend: QUICKER }));
  const data = `folder:${images}`;
  const args = ['train', '--config', config, '--data', data, '--pixels', '8', '--method', 'standard', '--epochs', '1'];
  const cut = join(images, 'dog', '9.png');
  const whole = readFileSync(join(images, 'dog', '0.png'));
  writeFileSync(cut, whole.subarray(0, whole.length - 30));
  const trained = await callCli([...args, '--out', join(folder, 'warned')]);
  rmSync(cut);
  expect(trained.code).toBe(0);
  expect(trained.stderr).toMatch(
    /warning: One is broken of the 13 .* can be decoded but .*9\.png\. evaluate would end/,
  );
  expect(trained.stderr).toMatch(/warning: an epoch is one step of 12 images, .* --batch 2\n/);
  const text = join(images, 'ant', '9.png');
  writeFileSync(text, 'no picture');
  const refused = await callCli([...args, '--out', join(folder, 'refused')]);
  rmSync(text);
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining(`in ${text}.`)]);
  expect(refused.stderr).not.toContain('measuring');
}, 60_000);

test.each([
  [['--data', 'folder'], 'Expected the folder of folder, such as folder:/path'],
  [['--data', 'fashion-mnist:/x'], 'it lies in no folder'],
  [['--data', 'moths:/x'], 'Allowed choices are cars196'],
  [['--data', 'src'], '; did you mean folder:src?'],
  [['--data', `folder:${images}`, '--skip-broken', '-1'], 'Expected an integer >= 0'],
  [['--data', `folder:${images}`, '--pixels', '0'], 'Expected a positive integer'],
])('%s is refused in words', async (flags, message) => {
  const { code, stderr } = await callCli(['train', ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('openData gives sides by papers, at random, all, and with validation', async () => {
  const root = images;
  const { train, test } = await openData('folder', { root, transform: { square: 8 }, channels: 1 });
  expect([train!.labels, test!.labels].map((labels) => [...new Set(labels)])).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(train!.shape).toEqual([8, 8, 1]);
  const { test: all } = await openData('folder', { root, split: 'none' });
  expect([all!.labels.length, all!.shape]).toEqual([24, [224, 224, 3]]);
  const random = await openData('folder', { root, split: 'random', seed: 3 });
  expect(new Set([...random.train!.labels, ...random.test!.labels]).size).toBe(4);
  const { train: learnt, validation } = await openData('folder', { root, validation: 0.5, seed: 1 });
  expect([learnt!.labels.length, validation!.labels.length]).toEqual([6, 6]);
  expect(learnt!.labels[0]).not.toBe(validation!.labels[0]);
  const one = await openData('folder', { root, trainClasses: ['dog'] });
  expect([...new Set(one.train!.labels)]).toEqual([3]);
  expect(one.train!.splits![0].id).not.toBe(train!.splits![0].id);
  // The same images, seen otherwise, are split alike.
  expect((await openData('folder', { root })).test!.splits![0].id).toBe(test!.splits![0].id);
  await expect(openData('folder', { root: join(folder, 'none') })).rejects.toMatchObject({ code: 'ERR_DATA' });
  await expect(openData('folder', { root, tranform: {} } as never)).rejects.toThrow('transform');
});

test('queries are looked up in a gallery of other images, and clustered with it', async () => {
  await chooseBackend({ backend: QUICKER });
  const { train: learnt, test: unseen } = await openData('folder', {
    root: images,
    transform: { square: 8 },
    channels: 1,
  });
  const { train: query, test: gallery } = await openData('folder', {
    root: images,
    transform: { square: 8 },
    channels: 1,
  });
  const model = convEmbedder({ dimension: 4, width: 2 });
  const ensemble = await train({ data: unseen!, model, epochs: 1, batch: { classes: 2, images: 3 }, backend: QUICKER });
  const attacks = LONG ? briefAttacks() : threeAttacks();
  const settings = { attacks, backend: QUICKER, allowSeen: true, seed: 1, bootstrap: 0 };
  // It was trained on the gallery.
  await expect(evaluate(ensemble, query!, { ...settings, allowSeen: false, gallery })).rejects.toMatchObject({
    code: 'ERR_DATA',
  });
  // Of the query's classes the gallery has none: nothing can be found, and four classes are clustered.
  const other = await evaluate(ensemble, query!, { ...settings, gallery });
  expect(other.manifest).toMatchObject({ samples: 12, classes: 4, k: 4, galleryHash: await gallery!.hash() });
  expect(other.clean.recallAt1).toBeNull();
  expect(other.recall).toBeUndefined();
  expect(other.notDefined.recallAt1).toBeTruthy();
  passChecks();
  await expect(evaluate(ensemble, query!, { ...settings, allowSeen: false, count: 4 })).resolves.toBeTruthy();
  // The same images as a gallery, not told to be their own: each finds itself.
  const same = await evaluate(ensemble, learnt!, { ...settings, gallery: learnt, recallAt: [1, 3] });
  expect(same.clean.recallAt1).toBe(1);
  expect(same.recall!.clean).toEqual({ 1: 1, 3: 1 });
  const each = same.attacks.flatMap(({ recall }) => (recall![1] === null ? [] : [recall![1]]));
  expect(same.recall!.worst[1]).toBe(Math.min(1, ...each));
  expect(same.perSample.recallAt1).toBeLessThanOrEqual(1);
  expect(same.manifest.retrieval).toContain('12 other images');
  ensemble.dispose();
});
