import { EatDmlError, type ErrorCode, invalid, throwIfAborted } from '../errors.js';
import { distributedError, type Group } from './group.js';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/**
 * Does what may fail on one rank alone, such as a look at its own data. Where it did, every rank throws the fault of the first one that
 * it failed on: the others would wait for it.
 */
export async function together<T>(group: Group, work: () => T): Promise<T> {
  let own: { done: T } | { fault: unknown };
  try {
    own = { done: work() };
  } catch (fault) {
    own = { fault };
  }
  if (group.size === 1 && 'fault' in own) throw own.fault;
  const told = await group.allGather(encode('fault' in own ? wordsOf(own.fault) : ''));
  if (told?.length !== group.size)
    throw invalid('group', `a group of ${group.size} ranks that gathers as many arrays`, told);
  const rank = told.findIndex(({ length }) => length > 0);
  if (rank < 0) return (own as { done: T }).done;
  const { code, message, hint } = JSON.parse(decode(told[rank])) as { code: ErrorCode; message: string; hint?: string };
  throw new EatDmlError(code, `On rank ${rank}: ${message}`, { hint, cause: 'fault' in own ? own.fault : undefined });
}

function wordsOf(fault: unknown): string {
  const { code, message, hint } = fault instanceof EatDmlError ? fault : distributedError(String(fault), '', fault);
  return JSON.stringify({ code, message, hint });
}

/** Throws on every rank unless all of them give the same text; `name` is what they were to agree on. */
export async function checkSame(group: Group, name: string, text: string): Promise<void> {
  const [first, ...others] = (await group.allGather(encode(text))).map(decode);
  const other = others.findIndex((given) => given !== first);
  if (other < 0) return;
  throw distributedError(
    `Expected the same ${name} on every rank but received ${first} on rank 0 and ${others[other]} on rank ${other + 1}.`,
    'Start every rank with the same arguments.',
  );
}

/** Throws on every rank where the signal of one of them is aborted; every rank calls it, with a signal or without. */
export function stopIfAborted(group: Group, signal: AbortSignal | undefined): Promise<void> {
  return together(group, () => throwIfAborted(signal));
}
