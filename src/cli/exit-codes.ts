import { CommanderError } from 'commander';
import { EatDmlError, type ErrorCode } from '../errors.js';
import { fileError, isSystemError } from '../files.js';

/** What the process ends with; docs/cli.md lists them. */
export const EXIT = { ok: 0, internal: 1, usage: 2, environment: 3, input: 4, diverged: 5, interrupted: 130 } as const;

const CODES: Record<ErrorCode, number> = {
  ERR_ARGUMENT: EXIT.usage,
  ERR_CONFIG: EXIT.usage,
  ERR_DEVICE: EXIT.environment,
  ERR_BACKEND: EXIT.environment,
  ERR_BUILD: EXIT.environment,
  ERR_DISTRIBUTED: EXIT.environment,
  ERR_SYSTEM: EXIT.environment,
  ERR_PATH: EXIT.input,
  ERR_DATA: EXIT.input,
  ERR_CHECKPOINT: EXIT.input,
  ERR_NOT_FINITE: EXIT.input,
  ERR_DIVERGED: EXIT.diverged,
  ERR_ABORTED: EXIT.interrupted,
};

/** The exit code of an error; anything that is no EatDmlError and no error of the system is a fault of this package. */
export function exitCodeOf(error: unknown): number {
  const known = inWords(error);
  return known instanceof EatDmlError ? CODES[known.code] : EXIT.internal;
}

/** An error as a person reads it: one sentence and, where known, the remedy. Unexpected ones come with their stack. */
export function errorText(error: unknown): string {
  const known = inWords(error);
  if (!(known instanceof EatDmlError)) return `unexpected error: ${(known as Error)?.stack ?? known}`;
  return `${known.code}: ${known.message}${known.hint ? `\n  ${known.hint}` : ''}`;
}

/** An error as a program reads it; of a command that was not understood the code is ERR_USAGE. */
export function errorRecord(error: unknown): { code: string; message: string; hint?: string } {
  const known = inWords(error);
  if (known instanceof EatDmlError) return { code: known.code, message: known.message, hint: known.hint };
  const { message } = known instanceof Error ? known : new Error(String(known));
  if (known instanceof CommanderError) return { code: 'ERR_USAGE', message: message.replace(/^error: /, '') };
  return { code: 'ERR_INTERNAL', message };
}

/** Where nobody nearer to the file did, an error of the system gets its sentence here, for every command. */
function inWords(error: unknown): unknown {
  return isSystemError(error) ? fileError(error.syscall, error.path, error) : error;
}
