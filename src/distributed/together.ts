import { EatDmlError, type ErrorCode, invalid, throwIfAborted } from '../errors.js';
import { distributedError, type Group, type SyncGroup } from './group.js';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/**
 * Does what may fail on one rank alone, such as a look at its own data. Where it did, every rank throws the fault of the first one that
 * it failed on: the others would wait for it.
 */
export async function together<T>(group: Group, work: () => T | Promise<T>): Promise<T> {
  let own: { done: T } | { fault: unknown };
  try {
    own = { done: await work() };
  } catch (fault) {
    own = { fault };
  }
  if (group.size === 1 && 'fault' in own) throw own.fault;
  const told = await group.allGather(encode('fault' in own ? wordsOf(own.fault) : ''));
  if (told?.length !== group.size)
    throw invalid('group', `a group of ${group.size} ranks that gathers as many arrays`, told);
  throwFirst(told, 'fault' in own ? own.fault : undefined);
  return (own as { done: T }).done;
}

/** {@link together} for work that cannot be left in its midst. */
export function togetherNow<T>(group: SyncGroup, work: () => T): T {
  if (group.size === 1) return work();
  let own: { done: T } | { fault: unknown };
  try {
    own = { done: work() };
  } catch (fault) {
    own = { fault };
  }
  const told = group.allGatherNow(encode('fault' in own ? wordsOf(own.fault) : ''));
  throwFirst(told, 'fault' in own ? own.fault : undefined);
  return (own as { done: T }).done;
}

/** Throws the first fault of those that ranks told, if there is any; `own` is this rank's. */
function throwFirst(told: readonly Uint8Array[], own: unknown): void {
  const rank = told.findIndex(({ length }) => length > 0);
  if (rank < 0) return;
  const { code, message, hint } = JSON.parse(decode(told[rank])) as { code: ErrorCode; message: string; hint?: string };
  throw new EatDmlError(code, `On rank ${rank}: ${message}`, { hint, cause: own });
}

function wordsOf(fault: unknown): string {
  const { code, message, hint } = fault instanceof EatDmlError ? fault : distributedError(String(fault), '', fault);
  return JSON.stringify({ code, message, hint });
}

/** Throws on every rank unless all of them give the same text; `name` is what they were to agree on. */
export async function checkSame(
  group: Group,
  name: string,
  text: string,
  hint = 'Start every rank with the same arguments.',
): Promise<void> {
  const [first, ...others] = (await group.allGather(encode(text))).map(decode);
  const other = others.findIndex((given) => given !== first);
  if (other < 0) return;
  throw distributedError(
    `Expected the same ${name} on every rank but received ${first} on rank 0 and ${others[other]} on rank ${other + 1}.`,
    hint,
  );
}

/** Whether it is so on any rank; every rank calls it. */
export async function isOnAny(group: Group, flag: boolean): Promise<boolean> {
  const told = await group.allGather(Uint8Array.of(flag ? 1 : 0));
  return told.some(([of]) => of === 1);
}

/** What rank 0 gives, as JSON; every rank calls it. */
export async function asOnFirst<T>(group: Group, value: T): Promise<T> {
  if (group.size === 1) return value;
  const own = group.rank === 0 ? encode(JSON.stringify(value)) : new Uint8Array(0);
  return JSON.parse(decode((await group.allGather(own))[0])) as T;
}

/** Throws on every rank where the signal of one of them is aborted; every rank calls it, with a signal or without. */
export function stopIfAborted(group: Group, signal: AbortSignal | undefined): Promise<void> {
  return together(group, () => throwIfAborted(signal));
}
