import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { RUN, readRecordedRun } from '../checkpoints/index.js';
import { differenceOf } from '../difference.js';
import { EatDmlError } from '../errors.js';
import { parseConfig } from './read.js';
import type { Config } from './schema.js';

/** What decides the numbers of a run, of which a resumed one may change nothing. */
const KEYS = ['seed', 'data', 'model', 'loss', 'method', 'training'] as const;

/**
 * The configuration of the run in `folder`, which its checkpoint and the run.json beside it both hold; undefined where neither
 * does, as the library writes none. ERR_CHECKPOINT where there is no checkpoint, or the two are of different runs.
 */
export async function findRun(folder: string): Promise<Config | undefined> {
  const path = join(folder, RUN);
  const recorded = await readRecordedRun(folder);
  const written = await readWritten(path);
  if (recorded === undefined) return written;
  const run = asRun(recorded, folder);
  // A process that was killed between the two leaves the run.json of the save before, or none yet.
  if (written === undefined) return run;
  const other = KEYS.find((key) => !isDeepStrictEqual(decisive(written, key), decisive(run, key)));
  if (other === undefined) return written;
  const { path: odd, now: says, before: is } = differenceOf(decisive(run, other), decisive(written, other), other)!;
  throw new EatDmlError(
    'ERR_CHECKPOINT',
    `Expected ${path} to be of the checkpoint beside it but its ${odd} is ${says}, not ${is}.`,
    {
      hint: 'Remove it to go by what the checkpoint says.',
    },
  );
}

/** As `findRun`; ERR_CHECKPOINT where the folder says nothing of its run. */
export async function readRun(folder: string): Promise<Config> {
  const run = await findRun(folder);
  if (run) return run;
  throw new EatDmlError('ERR_CHECKPOINT', `Expected a run of eat-dml train in ${folder} but found no ${RUN}.`, {
    hint: 'A checkpoint that the library wrote needs --config.',
  });
}

async function readWritten(path: string): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EatDmlError('ERR_CHECKPOINT', `Expected JSON in ${path} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
  return asRun(value, path);
}

function asRun(value: unknown, source: string): Config {
  try {
    return parseConfig(value, source);
  } catch (cause) {
    throw new EatDmlError('ERR_CHECKPOINT', (cause as Error).message, { cause });
  }
}

/** A key of a run without what may change when it goes on. */
export function decisive(config: Config, key: (typeof KEYS)[number]): unknown {
  if (key !== 'training') return config[key];
  const { epochs: _, checkpointEverySteps: __, ...training } = config.training ?? {};
  return training;
}
