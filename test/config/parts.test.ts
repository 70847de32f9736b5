import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';

/** A loss, an objective and a data set of the test's own: a file each, and a line in a list. */
vi.mock('../../src/losses/list.js', async (original) => {
  return { ...(await original<object>()), lossPart: (await own()).lossPart };
});
vi.mock('../../src/attacks/objectives/list.js', async (original) => {
  return { ...(await original<object>()), objectivePart: (await own()).objectivePart };
});
vi.mock('../../src/data/sets/list.js', async (original) => {
  return { ...(await original<object>()), dataPart: (await own()).dataPart };
});

async function own() {
  const { part } = await import('../../src/part.js');
  const { parseOptions, positive, seed, count } = await import('../../src/options.js');
  const { dataSetPart } = await import('../../src/data/sets/data-set.js');
  const { tinyImages } = await import('../models/tiny-images.js');
  const { splitByClass } = await import('../../src/data/splits.js');
  const lossOptions = z.strictObject({ weight: positive.default(2).describe('of everything') });
  const objectiveOptions = z.strictObject({ scale: positive.default(3).describe('of the embedding') });
  const dataOptions = z.strictObject({
    perClass: count.default(4).describe('images of each class'),
    seed: seed.optional().describe('of the split'),
  });
  return {
    lossPart: part('zero-sum', 'all embeddings, summed', lossOptions, (given: z.input<typeof lossOptions>) => {
      const config = { name: 'zero-sum', ...parseOptions(lossOptions, given) };
      return Object.assign((e: tf.Tensor2D) => tf.sum<tf.Scalar>(tf.mul(e, config.weight)), { config });
    }),
    objectivePart: part('first-column', 'up the first column', objectiveOptions, (given) => {
      const { scale } = parseOptions(objectiveOptions, given);
      const bind = () => (e: tf.Tensor2D) => tf.mul<tf.Tensor1D>(tf.sum(tf.slice(e, [0, 0], [-1, 1]), 1), scale);
      return { name: 'first-column', joint: false, flatAtStart: false, bind };
    }),
    dataPart: dataSetPart('tiny', 'four classes of noise', dataOptions, async (given) => {
      const { perClass, seed = 0 } = parseOptions(dataOptions, given);
      return splitByClass(tinyImages({ perClass }), { seed });
    }),
  };
}

const { objective } = await import('../../src/attacks/index.js');
const { offerChoices } = await import('../../src/cli/choices.js');
const { dataOf, evaluateOptionsOf, lossOf } = await import('../../src/config/make.js');
const { parseConfig } = await import('../../src/config/read.js');
const { configJsonSchema } = await import('../../src/config/schema.js');
const { partTables } = await import('../../src/config/tables.js');
const { runConfig } = await import('../../src/config/index.js');
const { at } = await import('../../src/training/index.js');

interface Form {
  title?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  const?: string;
  oneOf?: Form[];
  anyOf?: Form[];
  items?: Form;
  properties?: Record<string, Form>;
}

const schema = configJsonSchema() as Form & { $id: string };
const formOf = (form: Form, name: string) => form.oneOf!.find(({ properties }) => properties!.name.const === name)!;
const refusal = (config: unknown) => {
  try {
    parseConfig(config, 'file');
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('a part of the test’s own', () => {
  test('is checked by the library', () => {
    expect(objective('first-column', { scale: 1 }).name).toBe('first-column');
    expect(() => objective('first-column', { scael: 1 })).toThrow('did you mean scale?');
    expect(() => objective('first-colum')).toThrow('did you mean first-column?');
    expect(at({ attack: { epsilon: 0.1, goal: 'first-column' } }).config).toMatchObject({
      attack: { goals: ['first-column'] },
    });
    expect(() => lossOf({ loss: { name: 'zero-sum', weight: 0 } as never })).toThrow('for weight');
  });

  test('is taken and refused by a configuration, with what may have been meant', async () => {
    const config = {
      loss: { name: 'zero-sum', weight: 5 },
      data: { name: 'tiny', perClass: 3 },
      evaluation: { attacks: [{ objective: { name: 'first-column' }, attack: { name: 'pgd', epsilon: 0.1 } }] },
    };
    expect(parseConfig(config, 'file')).toEqual(config);
    expect(lossOf(config as never).config).toEqual({ name: 'zero-sum', weight: 5 });
    expect((await dataOf({ seed: 3, ...config } as never)).train.labels.length).toBeGreaterThan(0);
    expect(evaluateOptionsOf(config as never).attacks).toMatchObject([{ name: 'pgd-20/first-column' }]);
    expect(refusal({ loss: { name: 'zero-sun' } })).toMatch(/loss\.name: .*did you mean zero-sum\?/);
    expect(refusal({ loss: { name: 'zero-sum', wieght: 1 } })).toMatch(/loss\.wieght: .*did you mean weight\?/);
    expect(refusal({ data: { name: 'tiny', perclass: 1 } })).toMatch(/did you mean perClass\?/);
  });

  test('is in the JSON Schema, with its title, description and defaults', () => {
    const { loss, data, evaluation, method } = schema.properties!;
    expect(formOf(loss, 'zero-sum')).toMatchObject({
      ...{ title: 'zero-sum', description: 'all embeddings, summed' },
      properties: { weight: { description: 'of everything', default: 2 } },
    });
    expect(formOf(data, 'tiny').properties!.perClass.default).toBe(4);
    const own = evaluation.properties!.attacks.items!.properties!.objective;
    expect(formOf(own, 'first-column').properties!.scale.default).toBe(3);
    expect(JSON.stringify(formOf(method, 'at').properties!.attack)).toContain('"first-column"');
  });

  test('is a choice of the command line', () => {
    const command = new Command('train').exitOverride().configureOutput({ writeErr: () => {} });
    command.option('--loss <name>').option('--data <name>');
    offerChoices(command);
    expect(command.parse(['--loss', 'zero-sum', '--data', 'tiny'], { from: 'user' }).opts()).toEqual({
      loss: 'zero-sum',
      data: 'tiny',
    });
    expect(() => command.parse(['--loss', 'none'], { from: 'user' })).toThrow(/Allowed choices.*zero-sum/);
  });

  test('is a row of the tables in the docs', () => {
    expect(partTables()).toContain('| `zero-sum` | all embeddings, summed | `weight` 2 |');
    expect(partTables()).toContain('| `first-column` | up the first column | `scale` 3 |');
    expect(partTables()).toContain('| `tiny` | four classes of noise | `perClass` 4, `seed` *optional* |');
  });

  test('runs from JSON alone', async () => {
    const config = {
      seed: 1,
      backend: 'cpu',
      data: { name: 'tiny' },
      model: { kind: 'conv', width: 1, dimension: 4 },
      loss: { name: 'zero-sum' },
      method: { name: 'at', attack: { epsilon: 0.1, steps: 1, goal: 'first-column' } },
      training: { epochs: 1, batch: { size: 8 } },
      evaluation: { attacks: [{ objective: { name: 'first-column' }, attack: { name: 'fgsm', epsilon: 0.1 } }] },
    };
    const before = tf.memory().numTensors;
    const phases = new Set<string>();
    const { ensemble, report } = await runConfig(config as never, { onProgress: ({ phase }) => phases.add(phase) });
    expect(report.attacks.map(({ name }) => name)).toEqual(['fgsm/first-column', 'composite']);
    expect([...phases]).toEqual(['train', 'attack']);
    ensemble.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('the JSON Schema', () => {
  test('has an id, a title, and a description at every key', () => {
    expect(schema).toMatchObject({ $id: expect.stringMatching(/^https:/), title: expect.any(String) });
    const bare: string[] = [];
    const walk = (form: Form, path: string) => {
      for (const [key, below] of Object.entries(form.properties ?? {})) {
        if (!below.description) bare.push(`${path}.${key}`);
        walk(below, `${path}.${key}`);
      }
      for (const below of [...(form.oneOf ?? []), ...(form.anyOf ?? []), ...(form.items ? [form.items] : [])]) {
        walk(below, path);
      }
    };
    walk(schema, '');
    expect(bare).toEqual([]);
  });

  test('says what stands for a part that is left out', () => {
    const { data, model, loss, method } = schema.properties!;
    expect([data, model, loss, method].map((form) => form.default)).toEqual([
      { name: 'fashion-mnist' },
      { kind: 'conv' },
      { name: 'proxy-anchor' },
      { name: 'eat-heads', attack: { epsilon: 0.1 } },
    ]);
  });
});

test('docs/parts.md has every part of the lists', () => {
  const own = /^\| `(zero-sum|first-column|tiny)` .*\n/gm;
  expect(readFileSync('docs/parts.md', 'utf8')).toBe(partTables().replace(own, ''));
});
