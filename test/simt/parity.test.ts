import { createRequire } from 'node:module';
import { afterAll, expect, type TestContext, test } from 'vitest';
import { allCases, someOf } from '../kernels/cases/index.js';
import type { ParityCase } from '../kernels/cases/types.js';
import { worstRelative } from '../kernels/support.js';
import { LONG } from '../long.js';
import { describeSimt, simtPath } from './addon.js';

const name = ({ kernel, name }: ParityCase) => `${kernel}: ${name}`;

const kernels = simtPath ? Object.keys(createRequire(import.meta.url)(simtPath)) : [];
/** Seconds each: test:simt runs them, npm test their like of fewer rows; the last one's is of nearestCentroid in test/kernels/cuda-variants. */
const LONG_ROWS = new Set([
  ...['k-means||', 'pruned, overlapping', 'many chunks'].map((name) => `kmeans: ${name}`),
  'nearestCentroid: close together: the second in question',
]);
const cases = allCases.filter(({ kernel }) => kernels.includes(kernel));
/** Of each kernel, and of each on every variant. */
const CASES = LONG ? 'every case' : 'edges and some shapes';

/** Left out here, for the emulator's time; test:gpu runs them. */
const TOO_LARGE = new Set([
  'kmeans: pruned',
  'kmeans: more than 1000 clusters',
  'nearestNeighbors: cosine 1000x70 d=40 k=3',
  'nearestNeighbors: dot 1000x70 d=40 k=3',
]);

/** The distance kernels' ladder, each rung forced; native/cuda/host/variant.h. */
const VARIANTS = ['1', '2', '3', '4', '5'];
const WITH_VARIANTS = ['pairwiseDistance', 'nearestCentroid', 'nearestNeighbors'];

/** What the double-precision reference gives, computed once for all variants. */
const references = new Map<ParityCase, ReturnType<ParityCase['run']>>();

function skipLong(row: ParityCase, context: TestContext): void {
  if (!LONG && LONG_ROWS.has(name(row))) context.skip('long: test:simt runs it');
}

async function agrees(row: ParityCase): Promise<void> {
  if (!references.has(row)) references.set(row, row.run('js'));
  const [expected, received] = [await references.get(row)!, await row.run('cuda')];
  for (const [result, values] of Object.entries(expected)) {
    const worst = worstRelative(received[result], values, row.floor);
    expect(worst, `${result} is off by ${worst} relative`).toBeLessThanOrEqual(row.tolerance[result] ?? 0);
  }
}

describeSimt(`the CUDA kernels, under the emulator, agree with the double-precision reference: ${CASES}`, () => {
  for (const row of someOf(cases)) {
    test(name(row), (context) => {
      if (TOO_LARGE.has(name(row))) context.skip('large for an emulator');
      skipLong(row, context);
      return agrees(row);
    });
  }
});

describeSimt.each(VARIANTS)(`variant %s, forced: ${CASES}`, (variant) => {
  afterAll(() => {
    delete process.env.EAT_DML_CUDA_VARIANT;
    delete process.env.EAT_SIMT_SM;
  });
  // One of the 4 metrics is as good as another for the shapes; every metric runs on one shape.
  const chosen = cases.filter(
    (row) =>
      WITH_VARIANTS.includes(row.kernel) &&
      (!/^(euclidean|cosine|dot) /.test(row.name) || /64x65|batch|ties|zero|self/.test(row.name)) &&
      !/1000x70/.test(row.name),
  );
  // In the short form a row is on one or two of the five, and its like of another metric on others.
  const taken = someOf(chosen).filter((_, i) => LONG || (i + Number(variant)) % 3 === 0);
  test.for(taken.map((row) => [name(row), row] as const))('%s', async ([, row], context) => {
    skipLong(row, context);
    process.env.EAT_DML_CUDA_VARIANT = variant;
    if (variant === '5') process.env.EAT_SIMT_SM = '90';
    await agrees(row);
  });
});
