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

/** One with everything that a report may hold. */
export function fullReport(): EvaluationReport {
  const report = reportOf(0.9, { pgd: 0.2, fgsm: 0.4 }, 2);
  const clusters = { nmi: 0.3, ami: 0.25, ari: 0.2, f1: 0.4, purity: 0.5 };
  const table = [
    [0.5, 0.61],
    [0.62, null],
  ];
  return {
    ...report,
    intervals: { nmi: [0.85, 0.93], recallAt1: [0.8, 0.95], f1: [0.8, 0.95] },
    attacks: report.attacks.map((attack, i) => ({
      ...attack,
      settings: { name: 'pgd', steps: 10 * (i + 1), restarts: 1 } as never,
      objective: 'shift',
      intervals: { nmi: [0.15, 0.26], recallAt1: null },
    })),
    curve: [0, 0.05, 0.1].map((epsilon) => {
      return { epsilon, scores: even(0.9 - 7 * epsilon), by: report.worst.by };
    }),
    stepCurve: [1, 20].map((steps) => ({ steps, scores: even(0.8 - 0.03 * steps), by: report.worst.by })),
    transfer: { attack: 'pgd-10', nmi: table, recallAt1: table },
    partial: [{ share: 0.1, attacked: 4, name: 'pgd', all: clusters, rest: clusters, spillOver: clusters }],
    recall: { clean: { 1: 0.9, 10: 0.99 }, worst: { 1: 0.2, 10: 0.5 } },
    perClass: [3, 4].map((label) => {
      const [clean, worst] = [0.9, 0.1].map((value) => ({ recallAt1: value, mapAtR: value, bestClusterF1: value }));
      return { label, images: 20, clean, worst };
    }),
  };
}
