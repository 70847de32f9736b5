import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EatDmlError } from '../../errors.js';
import {
  pairedMarkdown,
  pairedRows,
  parseRunResult,
  type RunResult,
  tableMarkdown,
  tablePicture,
  tableRows,
} from '../../report/index.js';
import { withReferences } from '../../report/table.js';
import { checkTargets, deliver } from '../deliver.js';

export interface TableFlags {
  json?: boolean;
  out?: string;
  /** File for a picture of the table. */
  picture?: string;
  /** Label of a run: also how far it is above every other, seed by seed. */
  against?: string;
}

/** `eat-dml table FOLDER`: the results of a sweep side by side, as Markdown. */
export async function tableCommand(folder: string, { json, out, picture, against }: TableFlags): Promise<void> {
  await checkTargets(out, picture);
  const results = withReferences(await readResults(folder));
  const rows = tableRows(results);
  const paired = against === undefined ? [] : pairedRows(results, against);
  const text = [tableMarkdown(rows), ...(against === undefined ? [] : [pairedMarkdown(paired, against)])].join('\n\n');
  const result = { command: 'table', folder, rows, ...(against !== undefined && { against, paired }) };
  await deliver(json, result, text, [
    { path: out, content: () => `${text}\n` },
    { path: picture, content: () => tablePicture(rows) },
  ]);
}

async function readResults(folder: string): Promise<RunResult[]> {
  const files = await readdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new EatDmlError('ERR_DATA', `Expected the folder of a sweep at ${folder} but received ${cause.code}.`, {
      cause,
    });
  });
  const found = files.filter((file) => /(^|[\\/])result\.json$/.test(file)).sort();
  if (found.length === 0) {
    throw new EatDmlError('ERR_DATA', `Expected results of eat-dml sweep in ${folder} but found none.`, {
      hint: 'A sweep leaves them in the folder that its file names as out: eat-dml sweep <file>',
    });
  }
  return Promise.all(found.map((file) => readResult(join(folder, file))));
}

async function readResult(path: string): Promise<RunResult> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new EatDmlError('ERR_DATA', `Expected a readable file at ${path} but received ${cause.code}.`, { cause });
  });
  return parseRunResult(text, path);
}
