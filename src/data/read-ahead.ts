import { untilAborted } from './decoding/gate.js';
import type { BatchOptions } from './source.js';

/** Reads the images at `indices`, all bytes of a batch. */
export type ReadBytes = (indices: ArrayLike<number>, options: BatchOptions) => Promise<Uint8Array>;

export interface Reading {
  /** A batch that is waited for. */
  now: ReadBytes;
  /** One that will be asked for later. */
  ahead: ReadBytes;
}

interface Begun {
  bytes: Promise<Uint8Array>;
  stop: AbortController;
}

/** Batches that are begun before they are asked for, at most: as bytes, a quarter of what they are as a tensor. */
const MOST = 2;

/** Batches that are read before they are asked for. */
export class ReadAhead {
  readonly #read: Reading;
  readonly #begun = new Map<string, Begun>();

  constructor(read: Reading) {
    this.#read = read;
  }

  /** Begins to read. Of more than two that nobody came for, the oldest is given up. */
  begin(indices: ArrayLike<number>, options: BatchOptions): void {
    const key = keyOf(indices, options);
    if (options.signal?.aborted || this.#begun.has(key)) return;
    for (const [oldest, { stop }] of this.#begun) {
      if (this.#begun.size < MOST) break;
      this.#begun.delete(oldest);
      stop.abort();
    }
    const stop = new AbortController();
    const bytes = this.#read.ahead(indices, { ...options, signal: stop.signal });
    const giveUp = () => {
      stop.abort();
      if (this.#begun.get(key)?.stop === stop) this.#begun.delete(key);
    };
    options.signal?.addEventListener('abort', giveUp, { once: true });
    // Whoever asks for the batch hears of what went wrong; until then nobody does.
    bytes.catch(() => {}).finally(() => options.signal?.removeEventListener('abort', giveUp));
    this.#begun.set(key, { bytes, stop });
  }

  /** The batch that was begun, or is read now. */
  async take(indices: ArrayLike<number>, options: BatchOptions): Promise<Uint8Array> {
    const key = keyOf(indices, options);
    const begun = this.#begun.get(key);
    if (!begun) return this.#read.now(indices, options);
    this.#begun.delete(key);
    try {
      return await untilAborted(begun.bytes, options.signal);
    } catch (error) {
      begun.stop.abort();
      throw error;
    }
  }
}

function keyOf(indices: ArrayLike<number>, { draw }: BatchOptions): string {
  return `${draw}:${Array.prototype.join.call(indices)}`;
}
