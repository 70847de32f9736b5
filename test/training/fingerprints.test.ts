import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apgd, carliniWagner, fgsm, miFgsm, pgd, square } from '../../src/attacks/index.js';
import { contrastive, multiSimilarity, ntXent, proxyAnchor, tripletMargin } from '../../src/losses/index.js';
import { convEmbedder } from '../../src/models/index.js';
import * as methods from '../../src/training/index.js';

const goldens = JSON.parse(readFileSync(new URL('../goldens/fingerprints.json', import.meta.url), 'utf8'));
const attack = { epsilon: 0.1, steps: 2 };
const { act, adp, at, dverge, eat, ensembleAt, est, gal, hm, standard, trades } = methods;
const l2 = { norm: 'l2' as const, epsilon: 0.5, steps: 7, stepSize: 0.2, randomStart: false, restarts: 2 };
const goal = ['proxy', 'joint-set'];

/** What a checkpoint stores of each, by which a run that goes on is compared with the one that was interrupted. */
const CONFIGS: Record<string, unknown> = {
  standard: standard().config,
  'standard 3': standard({ members: 3 }).config,
  ...{ at: at({ attack }).config, ensembleAt: ensembleAt({ attack }).config, trades: trades({ attack }).config },
  ...{ est: est({ attack }).config, act: act({ attack }).config, hm: hm({ attack }).config },
  ...{ dverge: dverge({ attack }).config, eat: eat({ attack }).config },
  ...{ adp: adp({ attack }).config, gal: gal({ attack }).config, 'adp plain': adp().config, 'gal plain': gal().config },
  'at full': at({ attack: { ...l2, keep: 'best', goal } }).config,
  'eat full': eat({
    ...{ members: 4, diversity: 'm-of-n', by: 'class', m: 2, n: 5, transfer: 'mix', alignment: 0.5 },
    attack: { ...attack, goal: 'proxy' },
  }).config,
  'eat defaults': eat({ attack: { epsilon: 0.05 } }).config,
  ...{ proxyAnchor: proxyAnchor().config, tripletMargin: tripletMargin().config, contrastive: contrastive().config },
  ...{ multiSimilarity: multiSimilarity().config, ntXent: ntXent().config },
  'multiSimilarity mined': multiSimilarity({ mining: 0.1 }).config,
  convEmbedder: convEmbedder().config,
  'convEmbedder 4': convEmbedder({ width: 2, dimension: 4 }).config,
  ...{ fgsm: fgsm({ epsilon: 0.1 }), pgd: pgd({ epsilon: 0.1 }), miFgsm: miFgsm({ epsilon: 0.1 }) },
  ...{ apgd: apgd({ epsilon: 0.1 }), carliniWagner: carliniWagner({ epsilon: 0.1 }) },
  // 0.3 was the default.
  square: square({ epsilon: 0.1, share: 0.3 }),
};

test('every configuration has its fingerprint', () => {
  expect(Object.keys(CONFIGS).sort()).toEqual(Object.keys(goldens).sort());
});

test.each(Object.keys(CONFIGS))('%s: to the last key as version 0.1.0 wrote it', (name) => {
  // What has another name since is read under the new one.
  expect(JSON.stringify(CONFIGS[name])).toBe(goldens[name].replace('"embedding":', '"dimension":'));
});
