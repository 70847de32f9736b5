import { z } from 'zod';
import { count, parse } from '../options.js';

/** A score; null where it is not defined. */
const score = z.number().nullable();
const checks = z.array(z.looseObject({ name: z.string(), passed: z.boolean().nullable(), detail: z.string() }));

/** Of everything that is named. */
const each = <S extends z.ZodType>(names: readonly string[], schema: S) =>
  z.looseObject(Object.fromEntries(names.map((name) => [name, schema])));

const recall = z.record(z.string(), score);
const measures = each(['recallAt1', 'mapAtR', 'bestClusterF1'], score);

/** What a report may have beside its attacks, by the schemas of scores and of what gave them. */
export function reportParts<S extends z.ZodType, B extends z.ZodType>(scores: S, by: B) {
  return {
    classNames: z.record(z.string(), z.string()).optional(),
    curve: z.array(z.looseObject({ epsilon: z.number(), scores, by })).optional(),
    stepCurve: z.array(z.looseObject({ steps: z.number(), scores, by })).optional(),
    recall: z
      .looseObject({ clean: recall, worst: recall })
      .refine(({ clean, worst }) => Object.keys(clean).every((k) => k in worst), 'the same K of clean and worst')
      .optional(),
    ranking: z.looseObject({ scores: recall, ers: score }).optional(),
    perClass: z
      .array(z.looseObject({ label: z.number(), images: z.number(), clean: measures, worst: measures }))
      .optional(),
  };
}

/** The metrics that texts have of curves. */
const CURVED = ['nmi', 'recallAt1'];

/** What reports are read for; a report may hold more. */
function evaluationReport(metrics: readonly string[]) {
  const scores = each(metrics, score);
  const by = each(metrics, z.string().nullable());
  return z.looseObject({
    ...reportParts(each(CURVED, score), each(CURVED, z.string().nullable())),
    clean: scores,
    attacks: z.array(z.looseObject({ name: z.string(), scores })),
    worst: z.looseObject({ scores, by }),
    checks,
    perSample: z.looseObject({ recallAt1: score, nearestMean: score }),
  });
}

const manifest = z.looseObject({
  ...{ dataset: z.string(), dataHash: z.string(), norm: z.string(), epsilonSpace: z.string(), retrieval: z.string() },
  ...{ samples: z.number(), classes: z.number(), seed: z.number(), epsilon: z.number(), k: z.number() },
  backend: z.looseObject({ name: z.string() }),
});

/** NaN is a value, too, of a training that diverges. */
const scalars = z.record(
  z.string(),
  z.custom<number>((value) => typeof value === 'number', 'a number'),
);

const hyperparameters = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()], 'a string, a number or true or false'),
);

const images = z.record(
  z.string(),
  z.strictObject({
    png: z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'a Uint8Array'),
    width: count,
    height: count,
  }),
);

const step = z.int('an integer >= 0').nonnegative('an integer >= 0');

const points = z.looseObject({
  data: z.custom<Float32Array>((value) => value instanceof Float32Array, 'a Float32Array'),
  rows: count,
  cols: count,
});

/** Infinite of one value. */
const bound = z.custom<number>((value) => typeof value === 'number', 'a number');

/** null where no run has the score. */
const estimate = z.looseObject({ mean: score, low: bound, high: bound, n: z.number() }).nullable();

/** What tables read of a result of a sweep. */
export const runResult = z.looseObject({
  ...{ label: z.string(), seed: z.number(), budget: z.string() },
  history: z.looseObject({ epochs: z.number(), gradientEvaluations: z.number() }),
  report: evaluationReport(['nmi', 'ami', 'recallAt1']).extend({ manifest }),
});
const runResults = z.array(runResult);

const comparison = z.looseObject({
  metrics: z.array(z.string()),
  conditions: z.array(z.string()).min(1),
  methods: z
    .array(
      z.looseObject({ method: z.string(), values: z.record(z.string(), z.array(score)), worstBy: z.unknown(), checks }),
    )
    .min(1),
});

/** Throw ERR_ARGUMENT, naming the part, where what is to be reported is not what evaluations and sweeps leave. */
export const checkReport = (value: unknown) => void parse(evaluationReport([]).extend({ manifest }), value, 'report');
export const checkManifest = (value: unknown) => void parse(manifest, value, 'manifest');
export const checkChecks = (value: unknown) => void parse(checks, value, 'checks');
export const checkRunResults = (value: unknown) => void parse(runResults, value, 'results');
export const checkMetrics = (value: unknown, known: string[]) => void parse(z.array(z.enum(known)), value, 'metrics');
export const checkLabel = (value: unknown) => void parse(z.string(), value, 'label');
export const checkNotes = (value: unknown) => void parse(z.string(), value, 'notes');
export const checkFolder = (value: unknown) => void parse(z.string('a folder').min(1, 'a folder'), value, 'folder');
export const checkPoints = (value: unknown) => void parse(points, value, 'points');
export const checkScalars = (value: unknown) => void parse(scalars, value, 'values');
export const checkStep = (value: unknown) => void parse(step, value, 'step');
export const checkHyperparameters = (value: unknown) => void parse(hyperparameters, value, 'values');
export const checkImages = (value: unknown) => void parse(images, value, 'images');
export const checkEstimated = (value: unknown) => void parse(z.array(z.number()).min(1), value, 'values');

/** The same of reports, of which these metrics are read. */
export function checkMethodResults(value: unknown, metrics: readonly string[]): void {
  const result = z.looseObject({ method: z.string(), report: evaluationReport(metrics) });
  parse(z.array(result).min(1, 'at least one result'), value, 'results');
}

/** The same of rows with an estimate in each of their columns. */
export function checkTableRows(value: unknown, columns: readonly string[]): void {
  const named = { label: z.string(), budget: z.string(), epochs: z.number() };
  const row = z.looseObject({ ...named, values: each(columns, estimate), failedChecks: z.array(z.string()) });
  parse(z.array(row), value, 'rows');
}

export function checkPairedRows(value: unknown, columns: readonly string[]): void {
  const row = z.looseObject({ label: z.string(), budget: z.string(), differences: each(columns, estimate) });
  parse(z.array(row), value, 'rows');
}

/** The same of methods side by side, a value per metric and condition. */
export function checkComparison(value: unknown): void {
  const { metrics, conditions, methods } = parse(comparison, value, 'comparison');
  const values = z.array(score).length(conditions.length, `${conditions.length} values, one per condition`);
  const shape = each(metrics, values);
  methods.forEach((method, i) => {
    parse(shape, method.values, `comparison.methods[${i}].values`);
  });
}
