import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type EatDmlError, throwIfAborted } from '../errors.js';
import { counter, type LongWork } from '../long-work.js';
import { randomStream } from '../random.js';
import { brokenFiles } from './broken-files.js';
import { BEGINNING, beginningFault } from './decoding/decode.js';

/** Nobody waits longer for it before a training: for how the files begin, and for both. */
const SECONDS = { beginnings: 5, all: 10 };

/** Files that are open at once. */
const AT_ONCE = 64;

/** What a look at the files of an archive found that training does not see, but an evaluation will. */
export interface LookedOver {
  /** How many there are. */
  unseen: number;
  /** How many of them were decoded in the time that there was. */
  decoded: number;
  /** Those of them that are broken. */
  broken: EatDmlError[];
}

/** What long work may be told that opens data to train on. */
export interface OpenWork extends LongWork {
  /** Has files that training does not see looked at, and is told what was found. */
  onLooked?(looked: LookedOver): void;
}

/**
 * Looks at the files of an archive before a training, for ten seconds at most: how all of them begin, then, in random order,
 * whether those that training does not see can be decoded, as an evaluation hours later would find out.
 *
 * @throws EatDmlError ERR_DATA where one that is learnt from begins as no image does, ERR_ABORTED.
 */
export async function lookOver(
  root: string,
  { learnt, unseen }: { learnt: readonly string[]; unseen: readonly string[] },
  { signal, onProgress }: LongWork,
): Promise<LookedOver> {
  const start = performance.now();
  const begun = { until: start + 1000 * SECONDS.beginnings, signal, onProgress };
  const faults = await beginningFaults(root, [...unseen, ...learnt], begun);
  for (const [index, fault] of faults) if (index >= unseen.length) throw fault;
  const order = randomStream(0, 'look-over').permutation(unseen.length);
  const others = Array.from(order, (index) => index).filter((index) => !faults.has(index));
  const files = others.map((index) => unseen[index]);
  let decoded = faults.size;
  const looking = { until: start + 1000 * SECONDS.all, signal, onProgress };
  for await (const { broken, looked } of brokenFiles(root, files, looking)) {
    for (const { index, fault } of broken) faults.set(others[index], fault);
    decoded += looked;
  }
  const broken = [...faults].sort(([a], [b]) => a - b).map(([, fault]) => fault);
  return { unseen: unseen.length, decoded, broken };
}

/** The faults of the files that begin as no image does, by their places. */
async function beginningFaults(
  root: string,
  files: readonly string[],
  { until, signal, onProgress }: LongWork & { until: number },
): Promise<Map<number, EatDmlError>> {
  const faults = new Map<number, EatDmlError>();
  const count = counter('check', files.length, onProgress);
  let next = 0;
  const work = async () => {
    while (next < files.length && performance.now() < until && !signal?.aborted) {
      const index = next++;
      const file = join(root, files[index]);
      const bytes = await beginningOf(file);
      const fault = bytes && beginningFault(bytes, file);
      if (fault) faults.set(index, fault);
      count();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  throwIfAborted(signal);
  return faults;
}

/** The first bytes of a file; undefined where it cannot be read now, which who reads it will say. */
async function beginningOf(file: string): Promise<Uint8Array | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(BEGINNING), 0, BEGINNING, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

/** The sentence on images that are broken, where some are. */
export function brokenText({ unseen, broken }: LookedOver): string | undefined {
  if (broken.length === 0) return undefined;
  const [first] = broken;
  const some = broken.length === 1 ? 'One is' : `${broken.length} are`;
  const remedy = `evaluate would end with it. Mend or remove such files before training, or leave them out: --skip-broken ${broken.length}.`;
  return `${some} broken of the ${unseen} images that training does not see: ${first.message} ${remedy}`;
}

/** The sentence on images that there was no time to look at, where some are. */
export function unlookedText({ unseen, decoded }: LookedOver): string | undefined {
  if (decoded >= unseen) return undefined;
  return `looked at ${decoded} of the ${unseen} images that training does not see; eat-dml data inspect --verify looks at all`;
}
