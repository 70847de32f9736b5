/** What the decoding thread runs: reads the batches that it is told to. */
import { parentPort } from 'node:worker_threads';
import { EatDmlError } from '../../errors.js';
import type { Answer, Request } from './decoding-thread.js';
import { type Gate, gate } from './gate.js';
import { readPixels } from './read-pixels.js';

const port = parentPort!;
const gates = new Map<number, Gate>();
const stops = new Map<number, AbortController>();

/** All sources that read so many files at a time have one gate here, as they have one pool of threads. */
function gateOf(lanes: number): Gate {
  const known = gates.get(lanes) ?? gate(lanes);
  gates.set(lanes, known);
  return known;
}

async function answer({ id, wanted, pixels, concurrency }: Required<Request>): Promise<void> {
  const stop = new AbortController();
  stops.set(id, stop);
  try {
    await readPixels(wanted, gateOf(concurrency), stop.signal, pixels);
    port.postMessage({ id } satisfies Answer);
  } catch (error) {
    const { message } = error as Error;
    const { code, hint } = error instanceof EatDmlError ? error : {};
    port.postMessage({ id, error: { message, code, hint } } satisfies Answer);
  } finally {
    stops.delete(id);
  }
}

port.on('message', (request: Request) => {
  if (request.wanted) answer(request as Required<Request>);
  else stops.get(request.id)?.abort();
});
