/**
 * A thread that reads and decodes batches ahead. The steps of a training block the event loop of their thread, and each image needs a few
 * turns of one: its file read, its size known, its pixels decoded, and these put into the batch.
 */
import { Worker } from 'node:worker_threads';
import { aborted, EatDmlError, type ErrorCode } from '../../errors.js';
import { pixelsLength, type WantedImages } from './read-pixels.js';

/** To the thread: read these, `concurrency` files at a time; without `wanted`, stop. */
export interface Request {
  id: number;
  wanted?: WantedImages;
  /** Memory of both threads, for the pixels. */
  pixels?: Uint8Array;
  concurrency?: number;
}

/** From it. */
export interface Answer {
  id: number;
  error?: { message: string; code?: ErrorCode; hint?: string };
}

interface Pending {
  resolve(isRead: boolean): void;
  reject(error: unknown): void;
  /** Listens to the signal no more. */
  unheard(): void;
}

const pending = new Map<number, Pending>();
let thread: Worker | undefined;
/** It cannot be started here, or has ended by itself. */
let lost = false;
let last = 0;

/**
 * The pixels of a batch as `readPixels` gives them, read on another thread; undefined where there is none, as in sources that are not
 * built. They lie in memory of both threads, which {@link giveBack} takes back.
 * A process that has nothing else to do waits for what is being read, and not for the thread.
 */
export function readOnThread(
  wanted: WantedImages,
  concurrency: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const worker = started();
  if (!worker) return Promise.resolve(undefined);
  if (signal?.aborted) return Promise.reject(aborted(signal));
  const id = ++last;
  const pixels = memory(pixelsLength(wanted));
  return new Promise<Uint8Array | undefined>((resolve, reject) => {
    const stop = () => {
      worker.postMessage({ id } satisfies Request);
      settle(id)?.reject(aborted(signal!));
    };
    const unheard = () => signal?.removeEventListener('abort', stop);
    worker.postMessage({ id, wanted, pixels, concurrency } satisfies Request);
    signal?.addEventListener('abort', stop, { once: true });
    pending.set(id, { resolve: (isRead) => resolve(isRead ? pixels : undefined), reject, unheard });
    worker.ref();
  });
}

/** What nobody reads any more, to be written again: fresh memory costs a quarter of the images a second, in pages and collections. */
const idle: Uint8Array[] = [];
const MOST_IDLE = 3;

function memory(length: number): Uint8Array {
  const at = idle.findIndex((pixels) => pixels.length === length);
  return at < 0 ? new Uint8Array(new SharedArrayBuffer(length)) : idle.splice(at, 1)[0];
}

/** Takes back what {@link readOnThread} gave. Other memory is left alone. */
export function giveBack(pixels: Uint8Array): void {
  if (!(pixels.buffer instanceof SharedArrayBuffer)) return;
  idle.push(pixels);
  if (idle.length > MOST_IDLE) idle.shift();
}

function started(): Worker | undefined {
  if (thread || lost) return thread;
  thread = new Worker(new URL('./decoding-worker.js', import.meta.url), { name: 'eat-dml decoding' });
  thread.on('message', hear);
  // Whoever waits reads for himself then.
  thread.on('error', giveUp);
  thread.on('exit', giveUp);
  thread.unref();
  return thread;
}

function hear({ id, error }: Answer): void {
  const waiting = settle(id);
  if (!error) waiting?.resolve(true);
  else if (error.code) waiting?.reject(new EatDmlError(error.code, error.message, { hint: error.hint }));
  else waiting?.reject(new Error(error.message));
}

function giveUp(): void {
  lost = true;
  thread = undefined;
  for (const id of [...pending.keys()]) settle(id)?.resolve(false);
}

function settle(id: number): Pending | undefined {
  const waiting = pending.get(id);
  waiting?.unheard();
  pending.delete(id);
  if (pending.size === 0) thread?.unref();
  return waiting;
}
