import { expect, it } from 'vitest';
import { mpgd } from '../../src/attacks/index.js';
import { evaluate } from '../../src/evaluation/index.js';
import { softKmeans } from '../../src/evaluation/suites/plan.js';
import { convEmbedder } from '../../src/models/index.js';
import { at, train } from '../../src/training/index.js';
import { fewOf } from '../long.js';
import { tinyImages } from '../models/tiny-images.js';
import { QUICKER } from './brief.js';
import { withoutChecks } from './without-checks.js';

withoutChecks();

const data = tinyImages({ classes: 5, perClass: 16 });

it.each(fewOf([1, 2, 3], 1))(
  'more temperatures of soft-kmeans never help the defender, composite and all: seed %i',
  async (seed) => {
    const model = convEmbedder({ dimension: 4, width: 2 });
    const method = at({ attack: { epsilon: 0.1, steps: 2 } });
    const training = { epochs: 6, learningRate: 0.01, batch: { size: 16 }, backend: QUICKER };
    const ensemble = await train({ data, model, method, seed, ...training });
    const settings = mpgd({ epsilon: 0.07, steps: 6 });
    const options = { backend: QUICKER, allowSeen: true, epsilon: 0.07, seed, bootstrap: 0 };
    let before = Infinity;
    for (const temperatures of [[0.2], [0.2, 0.05], [0.2, 0.05, 0.1], [0.2, 0.05, 0.1, 0.075]]) {
      const attacks = temperatures.map((temperature) => softKmeans(settings, temperature));
      const { worst, attacks: made } = await evaluate(ensemble, data, { ...options, attacks });
      // The composite is in the report, and it is never above the lowest of its sets.
      expect(made.at(-1)).toMatchObject({ name: 'composite' });
      expect(made.at(-1)!.scores.nmi).toBe(worst.scores.nmi);
      expect(worst.scores.nmi).toBeLessThanOrEqual(before);
      before = worst.scores.nmi!;
    }
    expect(before).toBeGreaterThan(0.05);
    expect(before).toBeLessThan(0.9);
    ensemble.dispose();
  },
);
