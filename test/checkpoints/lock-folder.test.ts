import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { lockFolder } from '../../src/checkpoints/index.js';
import { LONG } from '../long.js';
import { program } from '../program.js';

const UUID = '00000000-0000-4000-8000-000000000000';
const claimer = await program('test/checkpoints/claim-in-turn.ts');
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'eat-dml-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Puts a claim there as another process would have, with something unfinished in it, and gives its path. */
async function leaveClaim(change: { pid?: number; start?: string; machine?: string }): Promise<string> {
  const mine = await lockFolder(dir);
  const [pid, start, machine] = mine.scratch.match(/lock-(\d+)-(\d+)-([0-9a-f]{8})-/)!.slice(1);
  await mine.release();
  const name = `.eat-dml-lock-${change.pid ?? pid}-${change.start ?? start}-${change.machine ?? machine}-${UUID}`;
  mkdirSync(join(dir, name, 'step-3'), { recursive: true });
  writeFileSync(join(dir, name, 'step-3', 'tensors.bin'), 'half');
  return join(dir, name);
}

const inUse = (claim: string) => ({
  code: 'ERR_CHECKPOINT',
  message: expect.stringMatching(/^Expected to train into .* alone but process \d+ .*trains into it\.$/),
  hint: expect.stringContaining(claim),
});

test('one holds a folder until it lets go, and nothing is left of it', async () => {
  const first = await lockFolder(join(dir, 'made', 'new'));
  await expect(lockFolder(first.dir)).rejects.toMatchObject(inUse(first.scratch));
  await first.release();
  expect(readdirSync(first.dir)).toEqual([]);
  await (await lockFolder(first.dir)).release();
});

describe('a claim that was left', () => {
  test('by a process that has ended is removed with what it had not finished', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const claim = await leaveClaim({ pid });
    await (await lockFolder(dir)).release();
    expect(existsSync(claim)).toBe(false);
  });

  test.skipIf(process.platform !== 'linux')('by a process that has ended and is not asked about', async () => {
    // The shell becomes one that asks about no child of its own, before the child ends.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void parent.kill());
    const pid = Number(await once(parent.stdout, 'data'));
    await vi.waitUntil(() => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    const start = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21];
    const claim = await leaveClaim({ pid, start });
    await (await lockFolder(dir)).release();
    expect(existsSync(claim)).toBe(false);
  });

  test.skipIf(process.platform !== 'linux')('by an earlier process of the same number, too', async () => {
    const claim = await leaveClaim({ start: '1' });
    await (await lockFolder(dir)).release();
    expect(existsSync(claim)).toBe(false);
  });

  test('by another machine holds while it is touched, and not for ever', async () => {
    const claim = await leaveClaim({ machine: '0123abcd' });
    await expect(lockFolder(dir)).rejects.toMatchObject(inUse(claim));
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(claim, longAgo, longAgo);
    await (await lockFolder(dir)).release();
    expect(existsSync(claim)).toBe(false);
  });

  test('by nobody of ours is none', async () => {
    const names = ['.eat-dml-lock', '.eat-dml-lock-mine', `.eat-dml-lock-x-1-0123abcd-${UUID}`, '.tmp-1', 'step-1'];
    for (const name of names) mkdirSync(join(dir, name));
    await (await lockFolder(dir)).release();
    expect(readdirSync(dir).sort()).toEqual([...names].sort());
  });
});

test('of many at one moment one has it', async () => {
  const claims = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(dir)));
  const won = claims.filter(({ status }) => status === 'fulfilled');
  expect(won).toHaveLength(1);
  for (const claim of claims) {
    if (claim.status === 'rejected') expect(claim.reason).toMatchObject({ code: 'ERR_CHECKPOINT' });
    else await claim.value.release();
  }
  expect(readdirSync(dir)).toEqual([]);
});

const TIMES = LONG ? 20 : 4;
test(`of two processes at one moment one has it, ${TIMES} times of ${TIMES}`, async () => {
  const pair = [startClaimer(), startClaimer()];
  await Promise.all(pair.map((child) => once(child, 'message')));
  for (let i = 0; i < TIMES; i++) {
    const answers = await askAll(pair, join(dir, String(i)));
    expect(answers.filter((answer) => answer === 'won')).toHaveLength(1);
    expect(answers.find((answer) => answer !== 'won')).toMatch(/alone but process \d+ trains into it/);
    await askAll(pair, '');
    expect(readdirSync(join(dir, String(i)))).toEqual([]);
  }
  for (const child of pair) child.disconnect();
});

function startClaimer(): ChildProcess {
  return fork(claimer, { execArgv: [] });
}

async function askAll(children: ChildProcess[], message: string): Promise<string[]> {
  const answers = children.map((child) => once(child, 'message'));
  for (const child of children) child.send(message);
  return (await Promise.all(answers)).map(([answer]) => answer as string);
}
