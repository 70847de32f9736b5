import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeIdx } from '../../src/data/index.js';
import { folderOfPictures } from '../data/pictures.js';
import { hasCpu } from '../kernels/support.js';
import { LONG } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { run } from '../packaging/run.js';
import { program } from '../program.js';
import { builtFor, type Ended, findMpis, launch, type Mpi } from './launch.js';

const mpis = findMpis().slice(0, LONG ? 2 : 1);
const addons = new Map<Mpi, string>();
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-cli-ranks-'));
const config = join(folder, 'config.json');

beforeAll(async () => {
  for (const mpi of mpis) addons.set(mpi, await builtFor(mpi));
  const { images, labels, shape, length } = tinyImages({ perClass: 9 });
  const [pixels, classes] = ['images', 'labels'].map((name) => join(folder, name));
  await writeIdx(pixels, { shape: [length, shape[0], shape[1]], data: images as Uint8Array });
  await writeIdx(classes, { shape: [length], data: Uint8Array.from(labels) });
  const settings = {
    ...{ seed: 2, backend: 'native', data: { name: 'idx', images: pixels, labels: classes, split: 'closed-set' } },
    model: { kind: 'conv', dimension: 4, width: 2 },
    method: { name: 'eat', members: 2, attack: { epsilon: 0.1, steps: 2 } },
    training: { epochs: 2, batch: { size: 7 } },
  };
  writeFileSync(config, JSON.stringify(settings));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(mpis.length > 0)('skipped: no mpicc and mpirun on PATH', ({ skip }) => skip());

/** What a run printed, but for what the clock says. */
function historyIn(stdout: string): Record<string, unknown> {
  const { history } = JSON.parse(stdout.slice(stdout.indexOf('{')));
  const { seconds: _, ...rest } = history;
  return rest;
}

/** A report without what the clock says. */
function figuresIn(report: object): unknown {
  return JSON.parse(JSON.stringify(report, (key, value) => (key === 'seconds' ? undefined : value)));
}

describe.skipIf(!hasCpu).each(mpis)('eat-dml under $name', (mpi) => {
  const out = (name: string) => join(folder, `${mpi.name}-${name}`);
  const train = (ranks: number, args: string[]): Promise<Ended> =>
    launch({
      ...{ mpi, addon: addons.get(mpi)!, ranks, entry: 'src/cli/main.ts', run: 'train' },
      args: ['--config', config, '--json', '--distributed', ...args],
    });
  const aloneAs = async (args: string[]) =>
    run(process.execPath, [await program('src/cli/main.ts'), ...args], { env: { EAT_DML_THREADS: '1' } });
  const alone = (args: string[]) => aloneAs(['train', '--config', config, '--json', ...args]);

  test('two ranks train what one does; rank 0 alone tells it and writes it; it can be resumed alone', async () => {
    const one = await alone(['--out', out('one')]);
    expect(one.code).toBe(0);
    const two = await train(2, ['--out', out('two'), '--member-groups', '2']);
    expect({ code: two.code, starts: two.stderr.match(/backend native/g) }).toEqual({
      code: 0,
      starts: ['backend native'],
    });
    expect(historyIn(two.stdout)).toEqual(historyIn(one.stdout));
    expect(readdirSync(out('two'))).toEqual(readdirSync(out('one')));
    const longer = await alone(['--out', out('two'), '--resume', '--epochs', '3']);
    const whole = await alone(['--out', out('whole'), '--epochs', '3']);
    expect(historyIn(longer.stdout)).toEqual(historyIn(whole.stdout));
  }, 240_000);

  test('two ranks embed and evaluate as one does; rank 0 alone tells it and writes it', async () => {
    expect((await alone(['--out', out('run'), '--epochs', '1'])).code).toBe(0);
    const onBoth = async (command: string, args: (name: string) => string[]) => {
      const env = { EAT_DML_THREADS: '1' };
      const job = { mpi, addon: addons.get(mpi)!, ranks: 2, entry: 'src/cli/main.ts', run: command, env };
      const two = await launch({ ...job, args: [out('run'), '--distributed', '--json', ...args('two')] });
      const one = await aloneAs([command, out('run'), '--json', ...args('one')]);
      expect([one.code, two.code]).toEqual([0, 0]);
      return [one, two].map(({ stdout }) => JSON.parse(stdout.slice(stdout.indexOf('{'))));
    };
    const page = (name: string) => [
      '--suite',
      'quick',
      '--count',
      '16',
      '--report',
      out(`${name}.html`),
      '--points',
      '10',
    ];
    const [one, two] = (await onBoth('evaluate', page)).map(figuresIn);
    expect(two).toEqual(one);
    const pictures = (name: string) => readFileSync(out(`${name}.html`), 'utf8').match(/data:image/g)?.length;
    expect(pictures('two')).toBe(pictures('one'));
    expect(pictures('two')).toBeGreaterThan(0);
    const root = await folderOfPictures();
    await onBoth('embed', (name) => ['--data', `folder:${root}`, '--out', out(`${name}.npy`)]);
    rmSync(root, { recursive: true });
    for (const end of ['npy', 'labels.npy']) {
      expect(readFileSync(out(`two.${end}`))).toEqual(readFileSync(out(`one.${end}`)));
    }
  }, 240_000);

  test('what cannot be shared ends all of them with the code of its error', async () => {
    const { code, stderr, stdout } = await train(2, ['--out', out('none'), '--shards', '4']);
    expect(stdout).not.toContain('history');
    expect(code).toBe(2);
    expect(stderr.match(/ERR_ARGUMENT: On rank 0: Expected a model whose batch normalisation is frozen/g)).toHaveLength(
      2,
    );
  }, 60_000);
});

test('flags of ranks want ranks', async () => {
  const main = await program('src/cli/main.ts');
  const groups = await run(process.execPath, [main, 'train', '--config', config, '--member-groups', '2']);
  expect({ ...groups }).toMatchObject({ code: 2, stderr: expect.stringContaining('Expected --distributed with') });
  const env = { OMPI_COMM_WORLD_SIZE: undefined, PMI_SIZE: undefined, SLURM_STEP_NUM_TASKS: undefined };
  const none = await run(process.execPath, [main, 'train', '--config', config, '--distributed'], { env });
  expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining('Expected a launcher to have started this') });
}, 60_000);
