import { EXIT } from './exit-codes.js';

/** Ctrl-C, what schedulers send, and a terminal that closes. */
const SIGNALS: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs `work` with an AbortSignal that Ctrl-C (or SIGTERM, SIGHUP) aborts, so that it can save and end in order. A second one
 * ends the process at once; but not SIGHUP, which a closing terminal sends more than once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
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
  } finally {
    for (const name of SIGNALS) process.off(name, stop);
  }
}
