import { EatDmlError } from '../../errors.js';
import type { EvaluationReport } from '../../evaluation/index.js';
import { radiusText } from '../../radius-text.js';
import { checkedPage, type PageHistory, type PageRun } from './page-run.js';

/** What is known of a file's runs beside what a page shows. */
export interface FoundRun extends PageRun {
  /** File that it was read from, named in errors. */
  source: string;
  /** Folder of the run that was evaluated, where the file says. */
  folder?: string;
}

type Json = Record<string, unknown>;

/**
 * The runs in the text of the file at `path`: a result of `eat-dml sweep`, the JSON of `evaluate` or of `demo`, or what a page saved.
 *
 * @throws EatDmlError ERR_DATA that names the file.
 */
export function parsePageRuns(text: string, path: string): FoundRun[] {
  const runs = runsIn(jsonOf(text, path), path);
  try {
    checkedPage(
      runs.map(({ source: _, folder: __, ...run }) => run),
      {},
    );
    return runs;
  } catch (cause) {
    throw fault(path, `it does not fit (${(cause as Error).message})`, cause);
  }
}

function runsIn(json: Json, source: string): FoundRun[] {
  const { command, runs, label, method, run, model, report } = json;
  if (Array.isArray(runs)) return runs.flatMap((one) => runsIn(one as Json, source));
  const shared = { ...given(json), source };
  // Of a page, of a sweep, of the demo.
  const name = json.name ?? label ?? method;
  if (name !== undefined) {
    const budget = json.budget === 'compute' ? ', equal compute' : '';
    return [{ ...shared, name: `${name}${budget}`, report: report as EvaluationReport }];
  }
  if (command !== 'evaluate') throw fault(source, 'it is none');
  const { command: _, run: __, model: ___, profile: ____, ...evaluated } = json;
  const folder = typeof run === 'string' ? { folder: run } : {};
  return [{ ...shared, ...folder, name: String(run ?? model), report: evaluated as unknown as EvaluationReport }];
}

/** What files hold of how a run was made. */
function given({ history, config, command }: Json): Pick<PageRun, 'history' | 'config' | 'command'> {
  const isCommand = typeof command === 'string' && command.startsWith('eat-dml ');
  return {
    ...(history !== undefined && { history: history as PageHistory }),
    ...(config !== undefined && { config }),
    ...(isCommand && { command }),
  };
}

function jsonOf(text: string, path: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fault(path, `it is no JSON (${(cause as Error).message})`, cause);
  }
  if (typeof value === 'object' && value !== null) return value as Json;
  throw fault(path, 'it is none');
}

function fault(path: string, why: string, cause?: unknown): EatDmlError {
  return new EatDmlError('ERR_DATA', `Expected a result of eat-dml evaluate, sweep or demo in ${path} but ${why}.`, {
    hint: 'eat-dml evaluate <run> --out <file>, and eat-dml sweep, leave such files.',
    cause,
  });
}

/** Same data set, size, k, norm, radius and attacks: else figures side by side would not say the same thing. ERR_DATA names the two. */
export function checkAlike(runs: readonly FoundRun[]): void {
  const [first, ...others] = runs;
  for (const other of others) {
    const [mine, theirs] = [measured(other), measured(first)];
    const odd = Object.keys(mine).find((key) => mine[key] !== theirs[key]);
    if (odd === undefined) continue;
    const message = `Expected ${other.source} to be evaluated as ${first.source}, ${odd} ${theirs[odd]}, but received ${mine[odd]}.`;
    throw new EatDmlError('ERR_DATA', message, {
      hint: 'A page compares what was measured alike; write one for each.',
    });
  }
}

function measured({ report: { manifest, attacks } }: PageRun): Record<string, string | number> {
  const { dataset, samples, k, norm, epsilon } = manifest;
  return {
    dataset,
    samples,
    k,
    norm,
    epsilon: radiusText(epsilon),
    attacks: attacks.map(({ name }) => name).join(', '),
  };
}

/** Runs of one name and seed are two after all: they are called by their files, too. */
export function namedApart(runs: readonly FoundRun[]): FoundRun[] {
  const key = ({ name, report }: FoundRun) => JSON.stringify([name, report.manifest.seed]);
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(key(run), (counts.get(key(run)) ?? 0) + 1);
  return runs.map((run) => (counts.get(key(run))! > 1 ? { ...run, name: `${run.name} (${run.source})` } : run));
}
