import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EatDmlError } from '../errors.js';
import { fileError, makeFolder } from '../files.js';

/** A folder that nobody else writes checkpoints to until it is released. */
export interface LockedFolder {
  readonly dir: string;
  /** A folder in it, ours alone: what is not finished lies here, and goes when the lock goes. */
  readonly scratch: string;
  /** Shows other machines that the holder is alive; call it now and then. */
  touch(): Promise<void>;
  release(): Promise<void>;
}

/** A claim is a folder whose name says who made it: process, start of that process, machine. */
const CLAIM = /^\.eat-dml-lock-(\d+)-(\d+)-([0-9a-f]{8})-[0-9a-f-]{36}$/;

/** Whether a process of another machine lives can't be asked: it does while its claim is touched. */
const TOUCH_MS = 30_000;
const STALE_MS = 20 * TOUCH_MS;

/** Two who claim at one moment both step back, and try again after a random wait, each time of up to twice as long. */
const ATTEMPTS = 6;
const WAIT_MS = 20;

/** Of this thread, for systems that don't tell when a process began. */
const held = new Set<string>();

/**
 * Claims `dir` (made when missing) for this process, or throws ERR_CHECKPOINT when a living process has it. Claims of dead
 * ones, and what they left unfinished, are removed. Every claim has a name of its own, so that no two can mistake each
 * other's for a dead one's: who claims second sees the first.
 */
export async function lockFolder(dir: string): Promise<LockedFolder> {
  for (let attempt = 1; ; attempt++) {
    const own = `.eat-dml-lock-${process.pid}-${startOf(process.pid)}-${MACHINE}-${randomUUID()}`;
    const scratch = join(dir, own);
    held.add(own);
    const release = async () => {
      // Once more than needed is harmless, and a claim that cannot be removed ends with its process.
      await rm(scratch, { recursive: true, force: true }).catch(() => {});
      held.delete(own);
    };
    try {
      makeFolder(scratch);
      const [living, dead] = await otherClaims(dir, own);
      if (living === undefined) {
        await Promise.all(dead.map((name) => rm(join(dir, name), { recursive: true, force: true })));
        return { dir, scratch, touch: toucher(scratch), release };
      }
      if (attempt === ATTEMPTS) throw inUse(dir, living);
    } catch (error) {
      await release();
      throw fileError('write to', dir, error);
    }
    await release();
    await sleep(WAIT_MS * 2 ** attempt * Math.random());
  }
}

/** The claim of a living process, where there is one, and those of dead ones. */
async function otherClaims(dir: string, own: string): Promise<[living: string | undefined, dead: string[]]> {
  const claims = (await readdir(dir)).filter((name) => CLAIM.test(name) && name !== own);
  const lives = await Promise.all(claims.map((name) => isAlive(dir, name)));
  return [claims.find((_, i) => lives[i]), claims.filter((_, i) => !lives[i])];
}

async function isAlive(dir: string, name: string): Promise<boolean> {
  const [, pid, start, machine] = CLAIM.exec(name)!;
  if (machine !== MACHINE) {
    const touched = await stat(join(dir, name)).catch(() => undefined);
    return touched !== undefined && Date.now() - touched.mtimeMs < STALE_MS;
  }
  if (!exists(Number(pid))) return false;
  // The number may be another process's by now, or the one that the only process of a container always has.
  const now = startOf(Number(pid));
  return now === UNKNOWN ? Number(pid) !== process.pid || held.has(name) : now === start;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const UNKNOWN = '0';

const ENDED = 'ended';

/**
 * When a process began, in ticks since the machine did (Linux: the 20th field after the name in brackets; the first tells one
 * that has ended but that its parent has not asked about).
 */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : fields[19];
  } catch {
    return UNKNOWN;
  }
}

/** The machine that process numbers hold for: two containers of one name count as two. */
const MACHINE = createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 8);

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function toucher(scratch: string): () => Promise<void> {
  let last = Date.now();
  return async () => {
    const now = Date.now();
    if (now - last < TOUCH_MS) return;
    last = now;
    // Training does not end because of it: at worst another machine takes this process for dead.
    await utimes(scratch, now / 1000, now / 1000).catch(() => {});
  };
}

function inUse(dir: string, claim: string): EatDmlError {
  const [, pid, , machine] = CLAIM.exec(claim)!;
  const who = machine === MACHINE ? `process ${pid}` : `process ${pid} of another machine`;
  return new EatDmlError('ERR_CHECKPOINT', `Expected to train into ${dir} alone but ${who} trains into it.`, {
    hint: `Wait for it, or name another folder. Where nothing trains there, remove ${join(dir, claim)}`,
  });
}
