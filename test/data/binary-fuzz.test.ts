import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspect, readNpy, writeNpy } from '../../src/data/index.js';
import { parquetArchive } from '../../src/data/layouts/parquet.js';
import { readNpz } from '../../src/data/npz.js';
import { drawFrom } from '../fuzz/draw.js';
import { LONG } from '../long.js';
import { mutatedBytes } from './layouts/mutate.js';

const COUNT = LONG ? 2000 : 80;
/** All that reading may hold of such small files, lies about their sizes included. */
const MOST_BYTES = 400 * 2 ** 20;
const GOLDENS = 'test/goldens';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-binary-'));
const valid = new Map<string, Uint8Array[]>();

beforeAll(async () => {
  const path = join(folder, 'valid.npy');
  const npy: Uint8Array[] = [];
  for (const shape of [[120], [24, 5], [4, 5, 6]]) {
    await writeNpy(path, { shape, data: Float32Array.from({ length: 120 }, (_, i) => i / 7) });
    npy.push(readFileSync(path));
  }
  const golden = (name: string) => readFileSync(join(GOLDENS, name));
  valid.set('npy', npy);
  valid.set('npz', [golden('npz-sides.npz'), golden('npz-all.npz')]);
  valid.set(
    'parquet',
    ['test', 'train'].map((side) => golden(`parquet/${side}-00000-of-00001.parquet`)),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const READ: [kind: string, read: (path: string, run: number) => Promise<unknown>][] = [
  ['npy', (path) => readNpy(path)],
  ['npz', (path) => readNpz(path)],
  ['parquet', (path, run) => parquetArchive(path, join(folder, `cache-${run}`))],
];

test.each(READ)(
  `${COUNT} mutated files of %s: what they hold or one error each, in bounded memory`,
  async (kind, read) => {
    const before = process.memoryUsage().rss;
    const seen = { read: 0, refused: 0 };
    for (let run = 0; run < COUNT; run++) {
      const draw = drawFrom(17, kind, run);
      const path = join(folder, `mutated-${run}.${kind}`);
      writeFileSync(path, mutatedBytes(draw.pick(valid.get(kind)!), draw));
      const outcome = await read(path, run).then(
        () => undefined,
        (error: Error) => error,
      );
      if (outcome) {
        expect(outcome, `${run}`).toMatchObject({ name: 'EatDmlError', code: 'ERR_DATA' });
        expect(outcome.message, `${run}`).toMatch(/^Expected [^\n]* but received [^\n]*\.$/);
        expect(outcome.message).toContain(path);
        expect(outcome.message.length, `${run}`).toBeLessThan(1000);
      }
      if (kind !== 'npy') {
        const { faults, images } = await inspect(path);
        // What cannot be read has a fault, but for images of Parquet files, which are not looked at.
        if (outcome && kind === 'npz') expect([images, faults.length]).toEqual([0, 1]);
        for (const fault of faults) expect(fault).toContain(path);
      }
      seen[outcome ? 'refused' : 'read']++;
      rmSync(path);
      expect(process.memoryUsage().rss - before, `${run}`).toBeLessThan(MOST_BYTES);
    }
    // Neither does everything pass nor nothing.
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(COUNT / 20);
  },
  600_000,
);
