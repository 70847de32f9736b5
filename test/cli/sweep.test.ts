import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configOf } from '../../src/config/sweep.js';
import { jobsOf, type SweepConfig, shardOf, sweepSchema } from '../../src/config/sweep-schema.js';
import { CONFIGURED_ATTACKS } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { callCli, temporaryFolder, writeTinyImages } from './run-cli.js';

const folder = temporaryFolder();
const file = join(folder, 'sweep.json');
const out = join(folder, 'out');
const attack = { epsilon: 0.1, steps: 2 };
let sweep: SweepConfig;

beforeAll(async () => {
  sweep = {
    out,
    seeds: [1, 2],
    reference: 'at',
    base: {
      data: { name: 'idx', ...(await writeTinyImages(folder)), trainClasses: [0, 1, 2] },
      model: { kind: 'conv', width: 2, dimension: 8 },
      training: { epochs: 2, batch: { size: 12 } },
      evaluation: { attacks: CONFIGURED_ATTACKS, epsilon: 0.1, bootstrap: 50, clusterRestarts: 3 },
    },
    runs: { standard: { method: { name: 'standard' } }, at: { method: { name: 'at', attack } } },
  };
  writeFileSync(file, JSON.stringify(sweep));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('jobs', () => {
  test('every label, seed and budget once; the reference has no compute of another to match', () => {
    const folders = jobsOf(sweep).map((job) => job.folder);
    expect(folders).toEqual([
      'standard/epochs/seed-1',
      'at/epochs/seed-1',
      'standard/compute/seed-1',
      'standard/epochs/seed-2',
      'at/epochs/seed-2',
      'standard/compute/seed-2',
    ]);
  });

  test('of the budgets that are named; the reference always as it is', () => {
    const foldersOf = (budgets: ('epochs' | 'compute')[]) =>
      jobsOf({ ...sweep, seeds: [1], budgets }).map((job) => job.folder);
    expect(foldersOf(['compute'])).toEqual(['at/epochs/seed-1', 'standard/compute/seed-1']);
    expect(foldersOf(['epochs'])).toEqual(['standard/epochs/seed-1', 'at/epochs/seed-1']);
  });

  test.each(readdirSync('examples/sweeps'))('examples/sweeps/%s is a grid', (name) => {
    const grid = sweepSchema.parse(JSON.parse(readFileSync(join('examples/sweeps', name), 'utf8')));
    expect(jobsOf(grid).length).toBeGreaterThan(grid.seeds.length);
  });

  test.each([
    ['.', 'points between'],
    ['..', 'points between'],
    ['a/b', 'points between'],
    ['..\\x', 'points between'],
    ['', 'points between'],
    ['a.', 'points between'],
    ['CON', 'Windows'],
    ['nul.txt', 'Windows'],
    ['AT', 'capitals'],
  ])('the label "%s" is refused: results go into a folder of their own, below out', (label, why) => {
    const { success, error } = sweepSchema.safeParse({ ...sweep, runs: { ...sweep.runs, [label]: {} } });
    expect(success).toBe(false);
    expect(error!.issues).toEqual([
      expect.objectContaining({ path: ['runs', label], message: expect.stringContaining(why) }),
    ]);
  });

  test('a grid without runs, or of one seed twice, is refused', () => {
    expect(sweepSchema.safeParse({ ...sweep, runs: {} }).success).toBe(false);
    expect(sweepSchema.safeParse({ ...sweep, seeds: [1, 1] }).success).toBe(false);
  });

  test('shards hold every job once', () => {
    const jobs = jobsOf(sweep);
    const shards = [1, 2, 3, 4].flatMap((i) => shardOf(jobs, [i, 4]));
    expect(shards.map(({ folder }) => folder).sort()).toEqual(jobs.map(({ folder }) => folder).sort());
  });

  test('a run’s parts go over the base’s, one level deep, but a method is one choice', () => {
    const run = { training: { epochs: 7 }, method: { name: 'standard' as const } };
    const config = configOf(
      { ...sweep, base: { ...sweep.base, method: { name: 'at', attack } }, runs: { run } },
      'run',
      5,
    );
    expect(config.training).toEqual({ epochs: 7, batch: { size: 12 } });
    expect(config.method).toEqual({ name: 'standard' });
    expect(config.seed).toBe(5);
  });
});

describe('sweep and table', () => {
  test('run a shard, go on where results are missing, and show all', async () => {
    passChecks();
    const first = await callCli(['sweep', file, '--shard', '1/2', '--json']);
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ jobs: 3, made: 3, found: 0 });
    const all = await callCli(['sweep', file, '--json']);
    expect(JSON.parse(all.stdout)).toMatchObject({ jobs: 6, made: 3, found: 3 });
    const costly = JSON.parse(readFileSync(join(out, 'standard/compute/seed-1/result.json'), 'utf8'));
    // Standard takes one gradient per image, AT of two steps three: as many epochs more for the same compute.
    expect(costly.history.epochs).toBe(6);
    expect(existsSync(join(out, 'at/compute'))).toBe(false);
    const picture = join(folder, 'table.svg');
    const table = await callCli(['table', out, '--picture', picture]);
    expect(readFileSync(picture, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(table.code).toBe(0);
    const [epochs, compute] = table.stdout.split('At equal compute (');
    expect(epochs).toMatch(/At equal epochs [\s\S]*\| standard \| 2 \|/);
    expect(compute).toContain('| standard | 6 |');
    expect(compute).toContain('| at | 2 |');
    expect(table.stdout).toMatch(/ ± /);
  });

  test('a reference that is no run is refused, whatever objects have of their own', async () => {
    const path = join(folder, 'reference.json');
    writeFileSync(path, JSON.stringify({ ...sweep, reference: 'constructor' }));
    const { code, stderr } = await callCli(['sweep', path]);
    expect(stderr).toContain('Expected reference to be one of the runs but received "constructor"');
    expect(code).toBe(2);
  });

  test('the budget compute without a reference is refused', async () => {
    const path = join(folder, 'no-reference.json');
    writeFileSync(path, JSON.stringify({ ...sweep, reference: undefined, budgets: ['compute'] }));
    const { code, stderr } = await callCli(['sweep', path]);
    expect(stderr).toContain('Expected a reference, whose compute the budget compute is, but received none.');
    expect(code).toBe(2);
  });

  test.each([
    [['sweep', file, '--shard', '3/2'], /shard/],
    [['sweep', join(folder, 'none.json')], /none\.json/],
    [['table', join(folder, 'nothing')], /folder of a sweep/],
    [['data', 'faces'], /emoji/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await callCli(args);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
