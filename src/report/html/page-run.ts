import { z } from 'zod';
import type { EvaluationReport, Gathered } from '../../evaluation/index.js';
import { parse, parseOptions } from '../../options.js';
import { checkReport } from '../checks.js';
import { gatheredValue, shownReport } from './page-schema.js';

/** What a page shows of how a run was trained. */
export interface PageHistory {
  /** Mean of the members' losses, one value per epoch. */
  losses: readonly number[];
  /** Of the networks, at the last step of each epoch. */
  learningRates?: readonly number[];
  /** Scores by name, of the epochs that were validated. */
  validations?: readonly { epoch: number; scores: Readonly<Record<string, number | undefined>> }[];
}

/** A run as a page shows it. */
export interface PageRun {
  /** What the page calls it: its method, or its label. Runs of the same name are seeds of one. */
  name: string;
  report: EvaluationReport;
  history?: PageHistory;
  /** What it was made with. */
  config?: unknown;
  /** The command that measures it again. */
  command?: string;
  /** What `evaluate` gathered for a page: shown where there is one run alone. */
  gathered?: Gathered;
}

const finite = z.number().nullable();
const history = z.looseObject({
  losses: z.array(finite, 'losses, a number per epoch'),
  learningRates: z.array(finite, 'numbers').optional(),
  validations: z
    .array(z.looseObject({ epoch: z.number(), scores: z.record(z.string(), finite) }), 'validations')
    .optional(),
});

const runs = z
  .array(
    z.strictObject({
      name: z.string('a name').min(1, 'a name'),
      report: z.looseObject({}, 'a report of evaluate'),
      history: history.optional(),
      config: z.unknown().optional(),
      command: z.string('a command').optional(),
      gathered: gatheredValue.optional(),
    }),
    'runs, each with a name and a report',
  )
  .min(1, 'at least one run');

const pageOptions = z.strictObject({
  title: z.string('a title').min(1, 'a title').default('Clustering under attack').describe('of the page'),
});

/** Options of {@link reportHtml}. */
export type PageOptions = z.input<typeof pageOptions>;

/** The options with their defaults. @throws EatDmlError ERR_ARGUMENT where runs or options are none. */
export function checkedPage(given: unknown, options: PageOptions): z.output<typeof pageOptions> {
  const checked = parse(runs, given, 'runs');
  for (const [i, { report }] of checked.entries()) {
    checkReport(report);
    parse(shownReport, report, `runs[${i}].report`);
  }
  return parseOptions(pageOptions, options);
}
