import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../data/write-atomically.js';
import { EatDmlError } from '../errors.js';
import { type Config, parseConfig } from './config.js';

/** Beside the checkpoint: the configuration of the run, from which it is resumed and evaluated. */
const FILE = 'run.json';

export function writeRun(folder: string, config: Config): Promise<void> {
  return writeAtomically(join(folder, FILE), Buffer.from(`${JSON.stringify(config, null, 2)}\n`));
}

/** ERR_CHECKPOINT where `folder` is no run of `eat-dml train`, or its record is damaged. */
export async function readRun(folder: string): Promise<Config> {
  const path = join(folder, FILE);
  try {
    return parseConfig(JSON.parse(await readFile(path, 'utf8')), path);
  } catch (cause) {
    throw new EatDmlError(
      'ERR_CHECKPOINT',
      `Expected a run of eat-dml train in ${folder}: ${(cause as Error).message}`,
      {
        hint: 'A checkpoint that the library wrote needs --config.',
        cause,
      },
    );
  }
}
