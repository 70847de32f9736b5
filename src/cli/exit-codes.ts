import { EatDmlError, type ErrorCode } from '../errors.js';

/** What the process ends with; docs/cli.md lists them. */
export const EXIT = { ok: 0, internal: 1, usage: 2, environment: 3, input: 4, diverged: 5, interrupted: 130 } as const;

const CODES: Record<ErrorCode, number> = {
  ERR_ARGUMENT: EXIT.usage,
  ERR_CONFIG: EXIT.usage,
  ERR_DEVICE: EXIT.environment,
  ERR_BACKEND: EXIT.environment,
  ERR_BUILD: EXIT.environment,
  ERR_DATA: EXIT.input,
  ERR_CHECKPOINT: EXIT.input,
  ERR_NOT_FINITE: EXIT.input,
  ERR_DIVERGED: EXIT.diverged,
  ERR_ABORTED: EXIT.interrupted,
};

/** The exit code of an error; anything that is no EatDmlError is a fault of this package. */
export function exitCodeOf(error: unknown): number {
  return error instanceof EatDmlError ? CODES[error.code] : EXIT.internal;
}

/** An error as a person reads it: one sentence and, where known, the remedy. Unexpected ones come with their stack. */
export function errorText(error: unknown): string {
  if (!(error instanceof EatDmlError)) return `unexpected error: ${(error as Error)?.stack ?? error}`;
  return `${error.code}: ${error.message}${error.hint ? `\n  ${error.hint}` : ''}`;
}
