import { describe, EatDmlError } from './errors.js';

interface Variable {
  /** As "Expected ... in NAME" goes on. */
  expected: string;
  fits(text: string): boolean;
}

const path: Variable = { expected: 'a path', fits: () => true };
const oneOf = (...words: string[]): Variable => ({
  expected: words.length > 1 ? `one of ${words.join(', ')}` : words[0],
  fits: (text) => words.includes(text),
});

/**
 * The environment variables of this package, all of them: docs/cli.md says what they do. EAT_DML_ISA is not among them: what it may
 * be depends on the processor, and the addon knows that.
 */
const VARIABLES = {
  EAT_DML_CACHE: path,
  EAT_DML_CUDA_PATH: path,
  EAT_DML_CUDA_TIMING: oneOf('1'),
  EAT_DML_CUDA_VARIANT: oneOf('1', '2', '3', '4', '5'),
  EAT_DML_DEBUG: oneOf('inherited'),
  EAT_DML_MPI_PATH: path,
  EAT_DML_MPI_STALL_SECONDS: { expected: 'a positive number of seconds', fits: isCount },
  EAT_DML_NATIVE_PATH: path,
  EAT_DML_PROBE_TIMEOUT_MS: { expected: 'a positive number of milliseconds', fits: isCount },
  EAT_DML_TENSORFLOW_DIR: path,
  EAT_DML_THREADS: { expected: 'a positive integer', fits: isCount },
  EAT_DML_WINOGRAD: oneOf('off'),
} satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;

/** The text of a variable; undefined where it is not set, or empty. ERR_DEVICE where it is none that it may be. */
export function variable(name: VariableName): string | undefined {
  const problem = problemOf(name);
  if (problem) throw problem;
  return process.env[name] || undefined;
}

/** Throws for the first variable that is set to what it may not be: what was asked for is never passed over. */
export function checkEnvironment(): void {
  const [problem] = environmentProblems();
  if (problem) throw problem;
}

export function environmentProblems(): EatDmlError[] {
  return (Object.keys(VARIABLES) as VariableName[]).map(problemOf).filter((problem) => problem !== undefined);
}

/** One sentence: the variable, what was expected, what was received. */
function problemOf(name: VariableName): EatDmlError | undefined {
  const text = process.env[name];
  const { expected, fits }: Variable = VARIABLES[name];
  if (!text || fits(text)) return undefined;
  return new EatDmlError('ERR_DEVICE', `Expected ${expected} in ${name} but received ${describe(text)}.`, {
    hint: `Unset ${name}, or set it to ${expected}.`,
  });
}

/** Written as native code reads it: digits alone, few enough for its int. */
function isCount(text: string): boolean {
  return /^[1-9]\d{0,8}$/.test(text);
}
