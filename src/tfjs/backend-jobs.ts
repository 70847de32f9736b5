import * as tf from '#tf';
import { EatDmlError } from '../errors.js';

/** What networks run on, and why there. */
export interface ChosenBackend {
  name: string;
  reason: string;
}

/** tfjs has one backend at a time for the whole process: the one that jobs in flight run on. */
let running: (ChosenBackend & { jobs: number }) | undefined;

/** The last in the queue of those who look at `running` or set the backend: one at a time, whatever they await. */
let last: Promise<unknown> = Promise.resolve();

/** Runs `work` when all before it are through. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work);
  last = turn.catch(() => undefined);
  return turn;
}

/** The backend of the jobs in flight, if there are any; ERR_BACKEND where `wanted` names another. */
export function backendInUse(wanted: string): ChosenBackend | undefined {
  if (!running) return undefined;
  const { name, reason } = running;
  stayOnBackend();
  if (wanted === name) return { name, reason };
  if (wanted === 'auto') return { name, reason: `in use by another job; ${reason}` };
  throw new EatDmlError(
    'ERR_BACKEND',
    `Expected the backend ${name}, on which a job is running, but received ${wanted}.`,
    {
      hint: 'A process has one backend at a time: wait for the job that runs, or start another process.',
    },
  );
}

/**
 * Runs `work`, which awaits between tensor operations, as a job on the backend that `choose` takes: none else can be chosen
 * until it ends. Jobs on one backend run side by side.
 *
 * @throws EatDmlError ERR_BACKEND where jobs run on another backend than `wanted`, or tf.setBackend changed it meanwhile.
 */
export async function runJob<T>(
  wanted: string,
  choose: () => Promise<ChosenBackend>,
  work: (backend: ChosenBackend) => Promise<T>,
): Promise<T> {
  const backend = await inTurn(async () => {
    const chosen = backendInUse(wanted) ?? (await choose());
    running ??= { ...chosen, jobs: 0 };
    running.jobs++;
    return chosen;
  });
  try {
    const result = await work(backend);
    stayOnBackend();
    return result;
  } finally {
    running!.jobs--;
    if (running!.jobs === 0) running = undefined;
  }
}

/** ERR_BACKEND where tfjs is no longer on the backend of the job in flight; for between its turns. */
export function stayOnBackend(): void {
  const now = tf.getBackend();
  if (!running || now === running.name) return;
  const message = `Expected the backend ${running.name} while a job runs on it but tf.setBackend changed it to ${now}.`;
  throw new EatDmlError('ERR_BACKEND', message);
}

/** Runs `work` without letting it make `name` tfjs's backend, as tfjs-node does of itself when it is imported. */
export async function withoutSwitchTo<T>(name: string, work: () => Promise<T>): Promise<T> {
  const engine = tf.engine();
  const set = engine.setBackend;
  engine.setBackend = (backend) => (backend === name ? Promise.resolve(true) : set.call(engine, backend));
  try {
    return await work();
  } finally {
    engine.setBackend = set;
  }
}
