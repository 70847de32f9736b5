import { z } from 'zod';
import { EatDmlError } from '../errors.js';
import { runResult } from './checks.js';
import type { RunResult } from './table.js';

const count = z.int().positive();
const amount = z.number().nonnegative();
/** In [0, 1] but for rounding; null where it is not defined. */
const share = z
  .number()
  .min(-1e-9)
  .max(1 + 1e-9)
  .nullable();
/** 0 at chance, below it without a bound. */
const adjusted = z
  .number()
  .max(1 + 1e-9)
  .nullable();
const word = z.string().regex(/^[\w.+-]+$/, 'expected letters, digits and . _ + - only');

/** What a sweep writes of what tables read; whatever else it holds is let through. */
const written = z.looseObject({
  label: word,
  seed: z.int(),
  budget: z.enum(['epochs', 'compute']),
  reference: word.optional(),
  history: z.looseObject({ epochs: count, gradientEvaluations: amount, seconds: amount }),
  report: z.looseObject({
    manifest: z.looseObject({ dataset: z.string(), samples: count, k: count, norm: z.string(), epsilon: amount }),
    clean: z.looseObject({ nmi: share, recallAt1: share }),
    worst: z.looseObject({ scores: z.looseObject({ nmi: share, ami: adjusted, recallAt1: share }) }),
    perSample: z.looseObject({ recallAt1: share }),
    attacks: z.array(z.looseObject({ name: z.string() })),
    checks: z.array(z.looseObject({ name: word, passed: z.boolean().nullable() })),
  }),
});
const schema = z.intersection(runResult, written);

/**
 * The result in the text of the file at `path`, as `eat-dml sweep` leaves it.
 *
 * @throws EatDmlError ERR_DATA that names the file, and in it the first value that does not fit.
 */
export function parseRunResult(text: string, path: string): RunResult {
  const parsed = schema.safeParse(jsonOf(text, path));
  if (parsed.success) return { ...(parsed.data as unknown as RunResult), source: path };
  const [{ path: keys, message }] = parsed.error.issues;
  throw damaged(path, `${keys.join('.') || 'the whole'} does not fit (${message})`);
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(path, `it is no JSON (${(cause as Error).message})`, cause);
  }
}

function damaged(path: string, why: string, cause?: unknown): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected a result of eat-dml sweep in ${path} but ${why}.`, {
    hint: 'Remove the file and run the sweep again: it makes what is missing.',
    cause,
  });
}
