import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomStream } from '../../src/random.js';
import { LONG } from '../long.js';
import { program } from '../program.js';

const TIMES = LONG ? 10 : 1;
/** Of a run's steps, up to which it is killed. By steps, not by the clock: a machine that is quicker later would end a run unkilled. */
const SHARE = LONG ? 1 : 0.6;
const LIMIT_MS = 60_000 * (TIMES + 1);
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-killed-'));
const images = join(folder, 'images');
const run = await program('test/training/recipe-run.ts');

beforeAll(async () => {
  mkdirSync(images);
  for (let i = 0; i < 40; i++) {
    const pixels = Uint8Array.from({ length: 12 * 10 * 3 }, (_, at) => (at * (i + 3) + 50 * (i % 5)) % 256);
    await sharp(pixels, { raw: { width: 12, height: 10, channels: 3 } })
      .png()
      .toFile(join(images, `${i}.png`));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface End {
  killed: boolean;
  steps: number;
  /** Milliseconds from the first step to the end. */
  ms: number;
  result?: unknown;
}
interface Kill {
  /** How many steps it says before. */
  steps: number;
  /** Milliseconds after the last of them. */
  ms: number;
}

/** Runs into `dir`; killed where that is said. */
function start(dir: string, kill?: Kill): Promise<End> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [run, dir, images], { stdio: ['ignore', 'pipe', 'inherit'] });
    let [said, since, steps] = ['', 0, 0];
    let timer: NodeJS.Timeout | undefined;
    child.stdout.on('data', (chunk) => {
      said += chunk;
      steps = said.match(/^step/gm)?.length ?? 0;
      if (steps > 0) since ||= performance.now();
      if (kill !== undefined && steps >= kill.steps) timer ??= setTimeout(() => child.kill('SIGKILL'), kill.ms);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const ms = performance.now() - since;
      if (signal === 'SIGKILL') return resolve({ killed: true, steps, ms });
      if (code !== 0) return reject(new Error(`It ended with ${code}:\n${said}`));
      resolve({ killed: false, steps, ms, result: JSON.parse(said.trim().split('\n').at(-1)!) });
    });
  });
}

test(
  `a run with all of a recipe that is killed at random comes to the same bits, ${TIMES} times of ${TIMES}`,
  async () => {
    const whole = await start(join(folder, 'whole'));
    expect(whole.result).toMatchObject({ history: { epochs: 5, validations: [{ epoch: 2 }, { epoch: 4 }] } });
    const { uniform } = randomStream(Date.now() % 1e6, 'kills');
    const moment = (steps: number): Kill => ({
      steps: Math.ceil(SHARE * steps * uniform()),
      ms: (uniform() * whole.ms) / whole.steps,
    });
    let kills = 0;
    for (let i = 0; i < TIMES; i++) {
      const dir = join(folder, String(i));
      let end = await start(dir, moment(whole.steps));
      // Killed once more where it had been: what a resumed run leaves is resumed, too.
      if (end.killed && uniform() < 0.5) end = await start(dir, moment(whole.steps - end.steps));
      if (end.killed) {
        kills++;
        end = await start(dir);
      }
      expect(end.result).toEqual(whole.result);
      expect(readdirSync(dir).filter((name) => !/^step-/.test(name))).toEqual(['best', 'manifest.json', 'run.json']);
      for (const at of [dir, join(dir, 'best')]) {
        const steps = readdirSync(at).filter((name) => /^step-/.test(name));
        expect(
          steps.map((name) => [name, readdirSync(join(at, name))]),
          at,
        ).toHaveLength(1);
        expect(existsSync(join(at, 'manifest.json'))).toBe(true);
      }
    }
    expect(kills).toBeGreaterThan(0);
  },
  LIMIT_MS,
);
