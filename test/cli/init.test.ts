import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { PARTS } from '../../src/config/lists.js';
import { hasOption } from '../../src/config/make.js';
import { readConfig } from '../../src/config/read.js';
import { DEFAULTS } from '../../src/config/schema.js';
import { configTemplate } from '../../src/config/template.js';
import { callCli, temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

/** What a configuration of that text is read as. */
async function read(text: string, name = 'read.jsonc') {
  writeFileSync(at(name), text);
  const { $schema, ...config } = await readConfig(at(name));
  expect($schema).toMatch(/config\.schema\.json$/);
  return config;
}

describe('eat-dml init', () => {
  test('writes what train takes: the default parts, every other key commented out', async () => {
    const { code, stdout } = await callCli(['init', at('a.jsonc')]);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`train --config ${at('a.jsonc')}`),
    });
    const text = readFileSync(at('a.jsonc'), 'utf8');
    expect(await read(text)).toEqual({ ...DEFAULTS, training: {}, evaluation: {} });
    for (const key of ['epochs', 'clip', 'bootstrap', 'suite'])
      expect(text).toMatch(new RegExp(`^ {4}// "${key}": `, 'm'));
    // Each key has its description above it.
    expect(text).toContain('    // passes over the data\n    // "epochs": 10,');
  });

  test('fills in what flags say, as train would take it', async () => {
    const flags = [
      '--method',
      'at',
      '--epsilon',
      '8/255',
      '--norm',
      'l2',
      '--steps',
      '3',
      '--epochs',
      '2',
      '--batch',
      '32',
    ];
    const more = [
      '--rate',
      '0.002',
      '--seed',
      '7',
      '--model',
      'resnet18',
      '--dimension',
      '16',
      '--data',
      'folder:photos',
    ];
    const { code, stdout } = await callCli(['init', at('b.jsonc'), ...flags, ...more, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ command: 'init', file: at('b.jsonc') });
    expect(await read(readFileSync(at('b.jsonc'), 'utf8'))).toEqual({
      seed: 7,
      data: { name: 'folder', root: 'photos' },
      model: { kind: 'resnet18', dimension: 16 },
      loss: { name: 'proxy-anchor' },
      method: { name: 'at', attack: { epsilon: 8 / 255, norm: 'l2', steps: 3 } },
      training: { epochs: 2, batch: { size: 32 }, learningRate: 0.002 },
      evaluation: {},
    });
  });

  test('never writes over a file unasked', async () => {
    writeFileSync(at('mine.jsonc'), 'mine');
    const { code, stderr } = await callCli(['init', at('mine.jsonc')]);
    expect(code).toBe(4);
    expect(stderr).toContain('Expected no file at');
    expect(readFileSync(at('mine.jsonc'), 'utf8')).toBe('mine');
    expect((await callCli(['init', at('mine.jsonc'), '--force'])).code).toBe(0);
    expect(readFileSync(at('mine.jsonc'), 'utf8')).toContain('"method"');
    expect((await callCli(['init', at('none/x.jsonc')])).code).toBe(4);
    expect(existsSync(at('none'))).toBe(false);
  });
});

test.each(PARTS.data.map(({ name }) => name))('the template of the data %s is a configuration', async (name) => {
  const places = ['root', 'path', 'images', 'labels', 'file'].filter((key) => hasOption(PARTS.data, name, key));
  const data = { name, ...Object.fromEntries(places.map((key) => [key, 'x'])) };
  expect(await read(configTemplate({ data: data as never }))).toMatchObject({ data });
});

test('a default that a template comments out is what the schema takes', async () => {
  // Every commented line with a default, taken in alone.
  const lines = configTemplate().split('\n');
  const section = lines.slice(
    lines.findIndex((line) => line.includes('"training"')),
    lines.findIndex((line) => line.includes('"evaluation"')),
  );
  const defaults = section.filter((line) => /^ {4}\/\/ "\w+": [^(]/.test(line));
  expect(defaults.length).toBeGreaterThan(3);
  for (const line of defaults) {
    const text = lines.map((each) => (each === line ? each.replace('// ', '') : each)).join('\n');
    expect(Object.keys((await read(text, 'one.jsonc')).training!)).toHaveLength(1);
  }
});

test('a .jsonc may have comments and commas at ends, a .json none; what is wrong is told by its place', async () => {
  writeFileSync(at('c.jsonc'), '{ "seed": 3, // why\n  "training": { "epochs": 2, }, }');
  expect(await readConfig(at('c.jsonc'))).toEqual({ seed: 3, training: { epochs: 2 } });
  writeFileSync(at('c.json'), '{ "seed": 3, }');
  await expect(readConfig(at('c.json'))).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  writeFileSync(at('d.jsonc'), '{ "seed": 3,\n  "training": { "epochs": 2,, } }');
  await expect(readConfig(at('d.jsonc'))).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    message: expect.stringMatching(/d\.jsonc but received: .*2:\d+$/),
  });
});
