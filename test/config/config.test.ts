import { describe, expect, test } from 'vitest';
import { runConfig } from '../../src/config/index.js';
import { PARTS } from '../../src/config/lists.js';
import { evaluateOptionsOf, methodOf, modelOf, trainOptionsOf } from '../../src/config/make.js';
import { parseConfig } from '../../src/config/read.js';
import { configJsonSchema } from '../../src/config/schema.js';
import { checkSweep } from '../../src/config/sweep.js';

const attack = { epsilon: 0.1 };

/** The lines of the error, without the first. */
function problemsOf(config: unknown): string[] {
  try {
    parseConfig(config, 'file');
  } catch (error) {
    return (error as Error).message.split('\n').slice(1);
  }
  return [];
}

describe('the schema', () => {
  test.each([
    {},
    { $schema: 'x', seed: 3, backend: 'wasm', device: 'js' },
    { method: { name: 'standard', members: 2 } },
    { method: { name: 'at', attack: { ...attack, norm: 'l2', steps: 7, keep: 'best' } } },
    { method: { name: 'ensemble-at', members: 4, attack } },
    { method: { name: 'eat', diversity: 'm-of-n', m: 2, n: 5, transfer: 'peers', alignment: 0.5, attack } },
    {
      method: {
        name: 'eat',
        members: 1,
        by: 'class',
        transfer: 'one',
        attack: { ...attack, goal: ['joint-pairwise'] },
      },
    },
    { method: { name: 'hm', ics: 0.5, attack } },
    { method: { name: 'dverge', adversarial: true, attack } },
    { loss: { name: 'triplet-margin', mining: 'semi-hard' } },
    { data: { name: 'emoji', classes: 100, side: 32 } },
    { evaluation: { norm: 'l1', epsilon: 5, partial: [0.1], transfer: true } },
    { data: { name: 'fashion-mnist', split: 'closed-set', perClass: 10 } },
    { data: { name: 'idx', images: 'a', labels: 'b', trainClasses: [0, 1] } },
    { training: { epochs: 1, batch: { size: 8 }, learningRate: 0.1 } },
    { training: { batch: { classes: 4, images: 8 } } },
    { evaluation: { suite: 'quick', count: 2, epsilon: 0 } },
    { method: { name: 'at', attack: { norm: 'l2', epsilon: 4, goal: 'joint-set' } }, evaluation: { epsilon: 2 } },
    { method: { name: 'adp', attack: { norm: 'l1', epsilon: 30 } }, evaluation: { norm: 'l2', epsilon: 3 } },
  ])('takes %j', (config) => {
    expect(parseConfig(config, 'file')).toEqual(config);
  });

  test.each([
    [{ seed: 1.5 }, /^ {2}seed: /],
    [{ seed: '1' }, /^ {2}seed: /],
    [{ seed: 2 ** 60 }, /^ {2}seed: /],
    [{ method: { name: 'eat' } }, /^ {2}method\.attack: /],
    [{ method: { name: 'eat', members: 0, attack } }, /^ {2}method\.members: /],
    [{ method: { name: 'trades', beta: -1, attack } }, /^ {2}method\.beta: /],
    [{ loss: { name: 'nt-xent', alpha: 2 } }, /^ {2}loss\.alpha: unknown key/],
    [{ method: { name: 'at', attack: { epsilon: -1 } } }, /^ {2}method\.attack\.epsilon: /],
    [{ method: { name: 'at', attack, members: 2 } }, /^ {2}method\.members: unknown key/],
    [{ data: { name: 'fashion-mnist', trainClasses: [1, 'a'] } }, /^ {2}data\.trainClasses\[1\]: /],
    [{ training: { batch: { size: 0 } } }, /training\.batch/],
    [{ method: { name: 'at', attack: { epsilon: 8 } } }, /^ {2}method\.attack\.epsilon: .* did you mean 8\/255\?$/],
    [{ evaluation: { epsilon: 8 } }, /^ {2}evaluation\.epsilon: .* did you mean 8\/255\?$/],
    [
      { method: { name: 'at', attack: { norm: 'l2', epsilon: 2 } }, evaluation: { norm: 'linf', epsilon: 2 } },
      /^ {2}evaluation\.epsilon: expected a number from 0 to 1/,
    ],
    [{ method: { name: 'at', atack: attack, attack } }, /^ {2}method\.atack: unknown key; did you mean attack\?$/],
    [{ method: { name: 'eat', transfer: 'peers', members: 1, attack } }, /^ {2}method\.members: expected at least 2/],
    [{ method: { name: 'eat', diversity: 'm-of-n', attack } }, /^ {2}method\.m: expected 1 to 3 parts of 3/],
    [{ data: { name: 'fashion-mnist', split: 'closed-set', trainClasses: [1] } }, /^ {2}data\.trainClasses: /],
    [{ data: { name: 'emoji', side: 500 } }, /^ {2}data\.side: expected an integer from 1 to 256/],
    [{ evaluation: { partial: [1] } }, /^ {2}evaluation\.partial\[0\]: expected a number in \(0, 1\)/],
    [[], /^ {2}the whole file: /],
  ])('refuses %j, naming the path', (config, message) => {
    expect(problemsOf(config)).toEqual([expect.stringMatching(message)]);
  });

  test('is shipped as JSON Schema, strict as well', () => {
    const schema = configJsonSchema() as { additionalProperties: boolean; properties: Record<string, object> };
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties)).toEqual([
      '$schema',
      'seed',
      'backend',
      'device',
      'data',
      'model',
      'loss',
      'method',
      'training',
      'evaluation',
    ]);
  });
});

describe('library and configuration', () => {
  type Properties = Record<string, { description?: string; default?: unknown }>;
  const { properties } = configJsonSchema() as { properties: Record<string, { oneOf: { properties: Properties }[] }> };
  const formsOf = (key: string) => properties[key].oneOf.map((form) => form.properties);
  const lists: [string, string, readonly { name: string; options: { shape: object } }[]][] = [
    ['method', 'name', PARTS.method],
    ['loss', 'name', PARTS.loss],
    ['model', 'kind', PARTS.model],
  ];

  test.each(lists)('%s: every part has a form of its own, with all of its options described', (key, by, parts) => {
    expect(formsOf(key)).toHaveLength(parts.length);
    for (const [i, { name, options }] of parts.entries()) {
      const { [by]: named, ...own } = formsOf(key)[i];
      expect(named).toMatchObject({ const: name });
      expect(Object.keys(own)).toEqual(Object.keys(options.shape));
      for (const [option, schema] of Object.entries(own)) {
        expect(schema.description, `${name}.${option}`).toMatch(/./);
      }
    }
  });

  test.each(PARTS.method.map(({ name }) => name))('%s refuses the same keys and values', (name) => {
    const given: Record<string, unknown> = name === 'standard' ? {} : { attack };
    for (const wrong of [
      { ...given, memebrs: 2 },
      { ...given, attack: { epsilon: 8 } },
      { ...given, members: 0 },
    ]) {
      expect(problemsOf({ method: { name, ...wrong } })).toHaveLength(1);
      expect(() => methodOf({ name, ...wrong } as never)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    }
  });
});

describe('what a configuration becomes', () => {
  test('without a method it is eat-heads, against linf 0.1', () => {
    expect(methodOf().config).toMatchObject({ name: 'eat-heads', heads: 3, attack: { norm: 'linf', epsilon: 0.1 } });
  });

  test('every key reaches the method', () => {
    const config = parseConfig(
      {
        method: { name: 'eat', members: 2, transfer: 'mix', alignment: 2, diversity: 'none', attack: { epsilon: 0.3 } },
      },
      'file',
    );
    expect(methodOf(config.method).config).toMatchObject({
      ...{ name: 'eat', members: 2, transfer: 'mix', alignment: 2, diversity: 'none' },
      attack: { epsilon: 0.3 },
    });
  });

  test('model and training', () => {
    expect(modelOf({ model: { kind: 'conv', width: 4, dimension: 8 } }).config).toEqual({ width: 4, dimension: 8 });
    const options = trainOptionsOf({
      seed: 5,
      training: { epochs: 2, checkpointEverySteps: 9 },
      loss: { name: 'proxy-anchor', alpha: 8 },
    });
    expect(options).toMatchObject({ seed: 5, epochs: 2 });
    expect(options).not.toHaveProperty('checkpointEverySteps');
    expect(options.loss!.config).toMatchObject({ alpha: 8 });
  });

  test('an evaluation attacks with the radius that was trained against, unless told otherwise', () => {
    const method = { name: 'at' as const, attack: { epsilon: 0.3, norm: 'l2' as const } };
    expect(evaluateOptionsOf({ method })).toMatchObject({ epsilon: 0.3, norm: 'l2' });
    expect(evaluateOptionsOf({ method, evaluation: { epsilon: 0.2 } })).toMatchObject({ epsilon: 0.2, norm: 'l2' });
    expect(evaluateOptionsOf({})).toMatchObject({ epsilon: 0.1 });
  });
});

test('a signal that has fired ends a run before its data are read', async () => {
  const config = { data: { name: 'idx', images: 'none', labels: 'none' } } as const;
  await expect(runConfig(config, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  await expect(runConfig(config)).rejects.toMatchObject({ code: 'ERR_DATA' });
});

test('an evaluation that cannot be is told before data are read and a network is trained', async () => {
  const method = { name: 'at', attack: { norm: 'l2', epsilon: 2 } } as const;
  const config = {
    data: { name: 'idx', images: 'none', labels: 'none' },
    method,
    evaluation: { norm: 'linf' },
  } as const;
  const message =
    'Expected a number from 0 to 1 (in linf, in [0, 1] pixel units) for epsilon but received 2; did you mean 2/255?';
  await expect(runConfig(config)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message });
  const sweep = {
    out: 'none',
    seeds: [1],
    base: { data: config.data, method },
    runs: { far: { evaluation: { norm: 'linf' } } },
  };
  expect(() => checkSweep(sweep, 'grid.json')).toThrow(`runs.far: ${message}`);
});
