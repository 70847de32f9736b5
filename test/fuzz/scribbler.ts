import { Worker } from 'node:worker_threads';

const BYTES = 1 << 14;

const PROGRAM = `
const { workerData: { flag, memory } } = require('node:worker_threads');
const [state, words] = [new Int32Array(flag), new Int32Array(memory)];
const values = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 0x7fc00000, 0x3f800000, 1 << 28];
for (let at = 0; ; ) {
  Atomics.wait(state, 0, 0);
  if (Atomics.load(state, 0) === 2) break;
  for (let i = 0; i < 200000; i++) words[(at = (at + 7) % words.length)] = values[i % values.length];
  Atomics.compareExchange(state, 0, 1, 0);
}`;

/** Shared memory that another thread writes to. */
export interface Scribbler {
  memory: SharedArrayBuffer;
  bytes: number;
  /** Writes for a few milliseconds. */
  scribble(): void;
  end(): Promise<void>;
}

export function startScribbler(): Scribbler {
  const [flag, memory] = [new SharedArrayBuffer(4), new SharedArrayBuffer(BYTES)];
  const state = new Int32Array(flag);
  const worker = new Worker(PROGRAM, { eval: true, workerData: { flag, memory }, stdin: false });
  worker.unref();
  const tell = (what: number) => {
    Atomics.store(state, 0, what);
    Atomics.notify(state, 0);
  };
  return {
    memory,
    bytes: BYTES,
    scribble: () => tell(1),
    async end() {
      tell(2);
      await worker.terminate();
    },
  };
}
