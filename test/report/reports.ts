import { type EvaluationReport, METRICS, type Scores } from '../../src/evaluation/index.js';

const even = (value: number) => Object.fromEntries(METRICS.map((metric) => [metric, value])) as Scores;

/** A report whose every metric is `clean` on clean images and the given value under each attack. */
export function reportOf(clean: number, attacks: Record<string, number>, members = 1): EvaluationReport {
  const conditions = Object.entries({ clean, ...attacks });
  const [name, lowest] = conditions.reduce((a, b) => (b[1] < a[1] ? b : a));
  return {
    manifest: {
      dataset: 'made up',
      dataHash: '0123456789abcdef',
      samples: 40,
      classes: 4,
      members,
      k: 4,
      clusterRestarts: 5,
      norm: 'linf',
      epsilon: 0.1,
      epsilonSpace: 'pixels in [0, 1]',
      protocol: 'transductive',
      retrieval: 'attacked queries',
      nmiNormaliser: 'arithmetic',
      seed: 7,
      batchSize: 128,
      backend: { name: 'cpu', reason: 'asked for' },
      device: 'js: plain JavaScript',
      versions: { 'eat-dml': '0', tfjs: '0', node: '0' },
    },
    clean: even(clean),
    notDefined: {},
    attacks: Object.entries(attacks).map(([attack, value]) => ({
      name: attack,
      objective: attack,
      settings: {} as EvaluationReport['attacks'][number]['settings'],
      scores: even(value),
      inductive: even(value),
      seconds: 1,
    })),
    worst: {
      scores: even(lowest),
      by: Object.fromEntries(METRICS.map((metric) => [metric, name])) as EvaluationReport['worst']['by'],
    },
    perSample: { recallAt1: 0.25, nearestMean: 0.5 },
    perClass: [],
    checks: [{ name: 'gradients', passed: true, detail: '0% of images have none' }],
    seconds: 2,
  };
}
