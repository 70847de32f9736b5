import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCheckpoint } from '../../checkpoints/index.js';
import { EatDmlError } from '../../errors.js';
import { fileError } from '../../files.js';
import { checkAlike, type FoundRun, namedApart, parsePageRuns } from '../../report/html/page-results.js';
import { reportHtml } from '../../report/index.js';
import { checkTargets, deliver } from '../deliver.js';
import { runHistory } from '../run-history.js';

export interface ReportFlags {
  json?: boolean;
  out: string;
}

/** `eat-dml report RUN...`: what was measured already, of one run or of many side by side, as one page. */
export async function reportCommand(paths: readonly string[], { json, out }: ReportFlags): Promise<void> {
  await checkTargets(out);
  const files: string[] = [];
  for (const path of paths) for (const file of await resultsIn(path)) if (!files.includes(file)) files.push(file);
  const found = (await Promise.all(files.map(readRuns))).flat();
  checkAlike(found);
  const runs = namedApart(found);
  const page = await reportHtml(runs.map(({ source: _, folder: __, ...run }) => run));
  const methods = new Set(runs.map(({ name }) => name)).size;
  const listed = runs.map(({ name, source, report }) => ({ name, seed: report.manifest.seed, source }));
  const count = runs.length === 1 ? '1 run' : `${runs.length} runs of ${methods} names`;
  const text = `${count}, in ${out}`;
  await deliver(json, { command: 'report', out, runs: listed }, text, [{ path: out, content: () => page }]);
}

/** A file by itself; of a folder every result.json in it. */
async function resultsIn(path: string): Promise<string[]> {
  const there = await stat(path).catch((error) => {
    throw fileError('read', path, error);
  });
  if (!there.isDirectory()) return [path];
  const names = await readdir(path, { recursive: true });
  const found = names.filter((name) => /(^|[\\/])result\.json$/.test(name)).sort();
  if (found.length > 0) return found.map((name) => join(path, name));
  const hint = (await hasCheckpoint(path))
    ? `Measure it first: eat-dml evaluate ${path} --out ${join(path, 'result.json')}`
    : 'Name a file of eat-dml evaluate --out, or the out folder of a sweep.';
  throw new EatDmlError('ERR_DATA', `Expected a result.json in ${path} but found none.`, { hint });
}

async function readRuns(path: string): Promise<FoundRun[]> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw fileError('read', path, error);
  });
  const runs = parsePageRuns(text, path);
  return Promise.all(runs.map(withHistory));
}

/** A run that was evaluated by itself has its history in its own folder, where that is still there. */
async function withHistory(run: FoundRun): Promise<FoundRun> {
  if (run.history || run.folder === undefined) return run;
  const history = await runHistory(run.folder);
  return history ? { ...run, history } : run;
}
