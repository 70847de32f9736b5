import { z } from 'zod';
import { reportParts } from '../checks.js';
import { METRIC_TITLES } from '../comparison.js';

/** A number, or null where it is not defined. */
const score = z.number().nullable();
const names = Object.keys(METRIC_TITLES);
const each = <S extends z.ZodType>(keys: readonly string[], schema: S) =>
  z.looseObject(Object.fromEntries(keys.map((key) => [key, schema])));

const scores = each(names, score);
const clusters = each(['nmi', 'ami', 'ari', 'f1', 'purity'], score);
const by = each(names, z.string().nullable());
const intervals = z.record(z.string(), z.tuple([z.number(), z.number()]).nullable()).optional();
const reason = z.string().optional();
const name = z.string().optional();
const matrix = z.array(z.array(score));

const attack = z.looseObject({
  objective: z.string(),
  scores,
  seconds: z.number(),
  settings: z.looseObject({ steps: z.number().optional(), restarts: z.number().optional() }).optional(),
  inductive: clusters.optional(),
  intervals,
  from: z.record(z.string(), z.number()).optional(),
  notRun: reason,
});

/** What a page reads of a report beside what every text of it reads. */
export const shownReport = z.looseObject({
  ...reportParts(scores, by),
  manifest: z.looseObject({
    seen: z.looseObject({ images: z.number(), classes: z.number() }).optional(),
  }),
  clean: scores,
  notDefined: z.record(z.string(), z.string()).optional(),
  attacks: z.array(attack),
  worst: z.looseObject({ scores, by }),
  intervals,
  transfer: z.looseObject({ attack: z.string(), nmi: matrix, recallAt1: matrix, notRun: reason }).optional(),
  partial: z
    .array(
      z.looseObject({
        ...{ name: z.string(), share: z.number(), attacked: z.number(), notRun: reason },
        ...{ all: clusters, rest: clusters, spillOver: clusters },
      }),
    )
    .optional(),
});

const typed = <T>(kind: new (length: number) => T, expected: string) =>
  z.custom<T>((value) => value instanceof kind, expected);
const integers = typed(Int32Array, 'an Int32Array');
const matrixOf = z.looseObject({ data: typed(Float32Array, 'a Float32Array'), rows: z.int(), cols: z.int() });
const side = z.looseObject({ embeddings: matrixOf, clusters: integers });
const pixels = z.looseObject({
  data: typed(Uint8Array, 'a Uint8Array'),
  ...{ count: z.int(), height: z.int(), width: z.int(), channels: z.int() },
});
const cells = z.array(z.looseObject({ label: z.number(), cluster: z.number(), images: z.number() }));
const found = z.looseObject({ label: z.number(), name, right: z.boolean(), image: pixels });

/** What `evaluate` gathers. */
export const gatheredValue = z.looseObject({
  ...{ attack: z.string(), samples: integers, labels: integers, clean: side, attacked: side, thumbnails: pixels },
  names: z.array(z.string()).optional(),
  table: z.looseObject({ clean: cells, attacked: cells }),
  pictures: z.array(
    z.looseObject({
      ...{ sample: z.number(), name, label: z.number(), rank: z.enum(['worst', 'median']), shift: z.number() },
      ...{ clean: pixels, attacked: pixels, perturbation: pixels, magnified: z.number() },
      clusters: z.looseObject({ clean: z.number(), attacked: z.number() }),
      found: z.looseObject({ clean: found, attacked: found }),
    }),
  ),
});
