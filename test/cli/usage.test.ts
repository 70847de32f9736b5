import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callCli, runCli, temporaryFolder } from './run-cli.js';

test('--help and --version end with 0', async () => {
  const [help, version] = await Promise.all([runCli(['--help']), runCli(['--version'])]);
  expect(help.code).toBe(0);
  for (const command of ['demo', 'train', 'evaluate', 'doctor', 'build']) expect(help.stdout).toContain(command);
  expect(version).toMatchObject({ code: 0, stderr: '' });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  [['frobnicate'], "unknown command 'frobnicate'"],
  [['train', '--seed', 'x'], 'Expected an integer'],
  [['train', '--seed', '1.5'], 'Expected an integer'],
  [['train', '--epochs', '0'], 'Expected a positive integer'],
  [['train', '--epsilon', '2'], 'Expected a number from 0 to 1'],
  [
    ['train', '--method', 'magic'],
    'Allowed choices are act, adp, at, dverge, eat, eat-heads, ensemble-at, est, gal, hm, standard, trades',
  ],
  [['train', '--method', 'eatheads'], '; did you mean eat-heads?'],
  [['evaluate', 'run', '--suite', 'quik'], '; did you mean quick?'],
  [['data', 'emoj'], '; did you mean emoji?'],
  [['train', '--data', 'foldr:./x'], '; did you mean folder?'],
  [['evaluate'], 'Expected a run or --model to evaluate but received neither.'],
  [['demo', '--frob'], "unknown option '--frob'"],
  [['train', '--method', 'at', '--members', '2'], 'Expected no --members with the method at'],
  [['train', '--method', 'eat', '--heads', '2'], 'Expected no --heads with the method eat'],
])('%j is a usage error: 2, and nothing on stdout', async (args, message) => {
  const { code, stdout, stderr } = await callCli(args as string[]);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('every error of a configuration file is shown with its path', async () => {
  const path = join(temporaryFolder(), 'bad.json');
  writeFileSync(path, JSON.stringify({ sed: 1, training: { epochs: -1, learnRate: 1 }, method: { name: 'magic' } }));
  const { code, stdout, stderr } = await runCli(['train', '--config', path, '--json']);
  expect(stderr).toContain('ERR_CONFIG');
  expect(stderr).toMatch(/^ {2}sed: unknown key; did you mean seed\?$/m);
  expect(stderr).toMatch(/^ {2}training\.epochs: expected a positive integer but received -1$/m);
  expect(stderr).toMatch(/^ {2}training\.learnRate: unknown key; did you mean learningRate\?$/m);
  expect(stderr).toMatch(/^ {2}method\.name: expected one of act, .*trades but received "magic"$/m);
  expect(code).toBe(2);
  const { error } = JSON.parse(stdout);
  expect(error).toMatchObject({ code: 'ERR_CONFIG', exitCode: 2 });
  expect(error.message).toContain('sed: unknown key');
});

test('a configuration file that is not there, or is no JSON, is named', async () => {
  const path = join(temporaryFolder(), 'none.json');
  const missing = await callCli(['train', '--config', path]);
  writeFileSync(path, '{"seed": 1,}');
  const broken = await callCli(['train', '--config', path]);
  for (const { code, stderr } of [missing, broken]) {
    expect(stderr).toContain(`Expected a JSON file at ${path}`);
    expect(code).toBe(2);
  }
});

test.each([
  [['train', '--json', '--epochs', '0'], 2, 'ERR_USAGE', /^option '--epochs <count>' argument '0' is invalid/],
  [
    ['train', '--json', '--method', 'at', '--members', '2'],
    2,
    'ERR_CONFIG',
    /^Expected no --members with the method at/,
  ],
  [['evaluate', 'no-such-run', '--json'], 4, 'ERR_CHECKPOINT', /no-such-run/],
  [['frobnicate', '--json'], 2, 'ERR_USAGE', /^unknown command/],
])('with --json %j is JSON on stdout, and a sentence on stderr', async (args, exitCode, code, message) => {
  const result = await callCli(args);
  expect(result.code).toBe(exitCode);
  expect(JSON.parse(result.stdout).error).toMatchObject({ code, message: expect.stringMatching(message), exitCode });
  expect(result.stderr).toContain(JSON.parse(result.stdout).error.message);
});
