import { EatDmlError } from '../errors.js';
import { EXIT } from './exit-codes.js';

/** Ctrl-C, what schedulers send, and a terminal that closes. */
const SIGNALS: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** What is said of work that was interrupted. */
export interface Interrupted {
  /** "The evaluation" */
  what: string;
  /** What was kept and what was not, and how to go on, in sentences. */
  kept: string | (() => string | Promise<string>);
}

/**
 * Runs `work` with an AbortSignal that Ctrl-C (or SIGTERM, SIGHUP) aborts, so that it can save and end in order. A second one
 * ends the process at once; but not SIGHUP, which a closing terminal sends more than once.
 *
 * @throws EatDmlError ERR_ABORTED that says what was kept, where it was interrupted.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { what, kept }: Interrupted,
): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted && name === 'SIGHUP') return;
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\nStopping after this step. Again to stop at once.\n');
    controller.abort(name);
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await work(controller.signal);
  } catch (cause) {
    if (!(cause instanceof EatDmlError) || cause.code !== 'ERR_ABORTED') throw cause;
    const hint = typeof kept === 'string' ? kept : await kept();
    throw new EatDmlError(cause.code, `${what} was interrupted.`, { hint, cause });
  } finally {
    for (const name of SIGNALS) process.off(name, stop);
  }
}
