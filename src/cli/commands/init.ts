import { writeFile } from 'node:fs/promises';
import { configTemplate } from '../../config/template.js';
import { EatDmlError } from '../../errors.js';
import { fileError } from '../../files.js';
import { printResult } from '../options.js';
import { type TrainFlags, trainFlags } from './train.js';

export interface InitFlags extends TrainFlags {
  force?: boolean;
}

/** `eat-dml init`: a configuration file in which one looks up what there is, and uncomments it. */
export async function initCommand(file: string, { force, json, ...flags }: InitFlags): Promise<void> {
  const { config } = await trainFlags(flags);
  try {
    await writeFile(file, configTemplate(config), { flag: force ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError('write', file, error);
    const message = `Expected no file at ${file} but found one.`;
    throw new EatDmlError('ERR_PATH', message, { hint: 'Name another, or write over it with --force.' });
  }
  const next = `eat-dml train --config ${file}`;
  printResult(json, { command: 'init', file, config, next }, `Written: ${file}\nNext: npx ${next}`);
}
