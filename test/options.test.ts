import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fgsm, pgd, runAttack } from '../src/attacks/index.js';
import { clusterEmbeddings, retrievalScores } from '../src/clustering/index.js';
import { type Dataset, emoji, fashionMnist, splitByClass, uniformBatches } from '../src/data/index.js';
import { evaluate, evaluateRanking, suite } from '../src/evaluation/index.js';
import { ntXent, tripletMargin } from '../src/losses/index.js';
import { convEmbedder, Ensemble } from '../src/models/index.js';
import { count, parseOptions, problemsOf } from '../src/options.js';
import { choiceOf, part, partNamed } from '../src/part.js';
import { chooseBackend } from '../src/tfjs/index.js';
import { act, adp, at, dverge, eat, standard, train } from '../src/training/index.js';
import { tinyImages } from './models/tiny-images.js';

const attack = { epsilon: 0.1 };
const any = (value: unknown) => value as never;
const data = tinyImages({ perClass: 2 });
const model = convEmbedder({ dimension: 2, width: 1 });
const ensemble = new Ensemble([model.build([8, 8, 1], 1)]);
const matrix = { data: new Float32Array(8).fill(1), rows: 4, cols: 2 };

/** Calls that nobody means, and the sentence that each ends in. */
const CALLS: [string, () => unknown, string][] = [
  ['train: epoch', () => train(any({ data, model, epoch: 3 })), 'received "epoch"; did you mean epochs?'],
  [
    'train: batch',
    () => train(any({ data, model, batch: { siz: 3 } })),
    'Expected options of batch among size but received "siz"; did you mean size?',
  ],
  [
    'train: checkpoint',
    () => train(any({ data, model, checkpoint: { dir: 'x', everystep: 1 } })),
    'did you mean everySteps?',
  ],
  ['standard: a Map', () => standard(any(new Map([['members', 2]]))), 'Expected an object for options but received'],
  [
    'options in options, not waited for',
    () =>
      parseOptions(z.strictObject({ inner: z.strictObject({ n: count.default(1) }) }), { inner: Promise.resolve() }),
    'Expected an object for inner but received',
  ],
  ['eat: memebrs', () => eat(any({ memebrs: 3, attack })), 'received "memebrs"; did you mean members?'],
  [
    'at: attack.step',
    () => at(any({ attack: { epsilon: 0.1, step: 3 } })),
    'Expected options of attack among norm, epsilon, steps, stepSize, randomStart, restarts, keep, batchNorm, goal but received "step"; did you mean steps?',
  ],
  [
    'at: epsilon 8',
    () => at({ attack: { epsilon: 8 } }),
    'Expected a number from 0 to 1 (in linf, in [0, 1] pixel units) for attack.epsilon but received 8; did you mean 8/255?',
  ],
  [
    'at: a step of 2',
    () => at({ attack: { epsilon: 0.1, stepSize: 2 } }),
    'for attack.stepSize but received 2; did you mean 2/255?',
  ],
  ['at: nothing', () => (at as () => unknown)(), 'Expected an object for attack but received undefined.'],
  ['eat: null', () => eat(any(null)), 'Expected an object for options but received null.'],
  [
    'act: a bigint',
    () => act(any({ members: 3n, attack })),
    'Expected a positive integer for members but received 3n.',
  ],
  [
    'adp: a goal',
    () => adp(any({ attack: { ...attack, goal: ['proxi'] } })),
    'for attack.goal[0] but received "proxi"; did you mean proxy?',
  ],
  ['dverge: alone', () => dverge({ members: 1, attack }), 'Expected at least 2 members for members but received 1.'],
  [
    'eat: peers of one',
    () => eat({ members: 1, transfer: 'relay', attack }),
    'Expected at least 2 members for relay for members but received 1.',
  ],
  ['standard', () => standard(any({ member: 2 })), 'did you mean members?'],
  ['a loss', () => ntXent(any({ temprature: 1 })), 'received "temprature"; did you mean temperature?'],
  ['a miner', () => tripletMargin(any({ mining: 'semihard' })), 'received "semihard"; did you mean semi-hard?'],
  ['pgd', () => pgd(any({ epsilon: 0.1, restart: 2 })), 'did you mean restarts?'],
  ['fgsm: 255ths', () => fgsm({ epsilon: 255 }), 'received 255; did you mean 255/255?'],
  ['fgsm: beyond', () => fgsm({ epsilon: 256 }), 'received 256.'],
  ['runAttack', () => runAttack(any({ model: ensemble, image: 1 })), 'received "image"; did you mean images?'],
  ['evaluate: cuont', () => evaluate(ensemble, data, any({ cuont: 3 })), 'received "cuont"; did you mean count?'],
  ['evaluate: epsilon 8', () => evaluate(ensemble, data, { epsilon: 8 }), 'did you mean 8/255?'],
  [
    'evaluate: settings',
    () => evaluate(ensemble, data, { attacks: [any({ name: 'x', objective: 1, settings: {} })] }),
    'for attacks[0].objective but received 1.',
  ],
  ['evaluateRanking', () => evaluateRanking(ensemble, data, any({ step: 3 })), 'did you mean steps?'],
  [
    'suite: a name',
    () => suite(any('qiuck'), { epsilon: 0.1 }),
    'Expected one of auto, quick, robrank, standard, thorough for suite but received "qiuck"; did you mean quick?',
  ],
  ['suite', () => suite('quick', any({ norms: 'l2' })), 'did you mean norm?'],
  ['convEmbedder', () => convEmbedder(any({ widht: 3 })), 'did you mean width?'],
  ['chooseBackend', () => chooseBackend(any({ backend: 'navite' })), 'did you mean native?'],
  ['embed', () => ensemble.embed(data, any({ batchsize: 3 })), 'did you mean batchSize?'],
  ['fashionMnist', () => fashionMnist(any({ perclass: 3 })), 'did you mean perClass?'],
  ['emoji', () => emoji(any({ sides: 3 })), 'did you mean side?'],
  ['splitByClass', () => splitByClass(data, any({ trainclasses: [1] })), 'did you mean trainClasses?'],
  ['uniformBatches', () => uniformBatches(any({ cout: 3 })), 'did you mean count?'],
  ['clusterEmbeddings', () => clusterEmbeddings(matrix, any({ k: 2, restart: 2 })), 'did you mean restarts?'],
  ['retrievalScores', () => retrievalScores(matrix, [0, 0, 1, 1], any({ recallat: [1] })), 'did you mean recallAt?'],
];

describe('what nobody means ends in one sentence', () => {
  it.each(CALLS)('%s', async (_, call, sentence) => {
    const error = (await Promise.resolve()
      .then(call)
      .catch((thrown) => thrown)) as Error;
    expect(error).toMatchObject({ name: 'EatDmlError', code: 'ERR_ARGUMENT' });
    expect(error.message).toContain(sentence);
    expect(error.message).toMatch(/^Expected .*[.?]$/s);
  });
});

describe('what is legal', () => {
  it('is any radius in l2 and l1, everywhere', () => {
    expect(at({ attack: { norm: 'l2', epsilon: 2, stepSize: 3 } }).config).toMatchObject({ attack: { epsilon: 2 } });
    expect(pgd({ norm: 'l1', epsilon: 40 }).epsilon).toBe(40);
    expect(suite('quick', { norm: 'l2', epsilon: 3 })[0].settings.epsilon).toBe(3);
  });

  it('is an absent option, said or not', () => {
    expect(standard(undefined).config).toEqual(standard({ members: undefined }).config);
  });
});

describe('data made by hand', () => {
  it.each<[string, Partial<Record<keyof Dataset, unknown>>, RegExp]>([
    [
      'float pixels',
      { images: new Float32Array(512).fill(Number.NaN) },
      /Uint8Array of pixels 0\.\.255 for data\.images/,
    ],
    ['too few pixels', { images: new Uint8Array(9) }, /512 pixels \(8 labels x 8 x 8 x 1\) for data\.images/],
    ['labels in an array', { labels: [0, Number.NaN] }, /Int32Array of classes for data\.labels/],
    ['fewer labels', { labels: new Int32Array(3) }, /Expected 3, as many as labels for data\.length/],
    ['another length', { length: 9 }, /data\.length but received 9/],
    ['a shape of two', { shape: [8, 8] }, /shape/],
    ['no name', { name: undefined }, /data\.name/],
  ])('is refused by train and evaluate: %s', async (_, change, message) => {
    const wrong = { ...data, ...change } as Dataset;
    const expected = { code: 'ERR_ARGUMENT', message: expect.stringMatching(message) };
    await expect(train({ data: wrong, model })).rejects.toMatchObject(expected);
    await expect(evaluate(ensemble, wrong)).rejects.toMatchObject(expected);
  });
});

describe('parseOptions', () => {
  const schema = z.strictObject({ a: z.strictObject({ b: z.array(count) }).optional(), c: count.default(2) });

  it('fills defaults in, and takes undefined for no options', () => {
    expect(parseOptions(schema, undefined)).toEqual({ c: 2 });
  });

  it('says the path below the name', () => {
    expect(() => parseOptions(schema, { a: { b: [1, 0] } }, 'given')).toThrow(
      'Expected a positive integer for given.a.b[1] but received 0.',
    );
    expect(() => parseOptions(schema, { a: { d: 1, b: [] } }, 'given')).toThrow(
      'Expected options of given.a among b but received "d".',
    );
  });

  it('finds all that is wrong, unknown keys first', () => {
    expect(problemsOf(schema, { c: 0, e: 1 }).map(({ path, known }) => [path, known])).toEqual([
      [['e'], ['a', 'c']],
      [['c'], undefined],
    ]);
  });
});

describe('a part of its own', () => {
  const options = z.strictObject({ size: count.default(3).describe('how large') });
  const make = (given: z.input<typeof options>) => parseOptions(options, given).size;
  const parts = [
    part('small', 'with a size', options, make),
    part('none', 'without', z.strictObject({}), () => 0),
  ] as const;
  const schema = choiceOf(parts);

  it('is found by its name and made of the rest', () => {
    const { name, ...rest }: z.input<typeof schema> = { name: 'small', size: 5 };
    expect(partNamed<number>(parts, name).make(rest)).toBe(5);
  });

  it('is in the schema of a configuration, with its description, default and did-you-mean', () => {
    expect(schema.parse({ name: 'small' })).toEqual({ name: 'small', size: 3 });
    const { oneOf } = z.toJSONSchema(schema, { io: 'input' });
    expect(oneOf![0]).toMatchObject({ properties: { size: { default: 3, description: 'how large' } } });
    expect(problemsOf(schema, { name: 'smal' })[0]).toMatchObject({ suggestion: 'small', path: ['name'] });
    expect(problemsOf(schema, { name: 'small', sise: 1 })[0]).toMatchObject({ suggestion: 'size', path: ['sise'] });
  });
});
