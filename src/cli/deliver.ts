import { resolve } from 'node:path';
import { EatDmlError } from '../errors.js';
import { checkWritable, writeAtomically } from '../write-atomically.js';
import { printResult } from './options.js';

/** A file that a command was asked for: nothing where no path was given. */
export interface Target {
  path: string | undefined;
  content(): string | Promise<string>;
}

/** Before work whose result would be lost: throws where one of the files cannot be written, or two are one. */
export async function checkTargets(...paths: (string | undefined)[]): Promise<void> {
  const given = paths.filter((path) => path !== undefined);
  const files = given.map((path) => resolve(path));
  const twice = given.find((_, i) => files.indexOf(files[i]) !== i);
  if (twice !== undefined) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected different files but received ${twice} twice.`);
  }
  for (const path of given) await checkWritable(path);
}

/**
 * Writes the files, then prints: the result as JSON where it is asked for or where a file failed, so that it is not lost; else
 * the text. Throws the first failure at the end.
 */
export async function deliver(
  json: boolean | undefined,
  result: unknown,
  text: string,
  targets: Target[],
): Promise<void> {
  let failure: unknown;
  for (const { path, content } of targets) {
    if (path === undefined) continue;
    try {
      await writeAtomically(path, Buffer.from(await content()));
    } catch (error) {
      failure ??= error;
    }
  }
  printResult(json || failure !== undefined, result, text);
  if (failure !== undefined) throw withWhereabouts(failure);
}

/** Writes a result as JSON where it can, else prints it and throws. */
export async function writeOrPrint(path: string, result: unknown): Promise<void> {
  await writeAtomically(path, Buffer.from(`${JSON.stringify(result)}\n`)).catch((error) => {
    printResult(true, result, '');
    throw withWhereabouts(error);
  });
}

function withWhereabouts(error: unknown): unknown {
  if (!(error instanceof EatDmlError)) return error;
  return new EatDmlError(error.code, error.message, { hint: 'The result is on stdout, as JSON.', cause: error });
}

/** A value as the text of a JSON file. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
