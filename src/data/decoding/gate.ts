import { aborted, throwIfAborted } from '../../errors.js';

/** Does `task` when its turn comes; ERR_ABORTED instead where `signal` is aborted by then. */
export type Gate = <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** At most `lanes` tasks at a time, begun in the order in which they were given. */
export function gate(lanes: number): Gate {
  const waiting: (() => void)[] = [];
  let free = lanes;
  return async (task, signal) => {
    // A lane that another leaves is handed on, not freed: nobody slips in between.
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      throwIfAborted(signal);
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** `work`, or ERR_ABORTED at once when `signal` is aborted; the work is not waited for then, nor its failure heard of. */
export function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
