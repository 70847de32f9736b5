import { describe } from 'vitest';
import type { Matrix } from '../../src/kernels/index.js';
import { devices } from '../../src/kernels/index.js';
import { loadAddon } from '../../src/kernels/load-addon.js';
import { randomStream } from '../../src/random.js';
import { LONG } from '../long.js';

const drawn = new Map<string, Float64Array>();

/** Standard normal values, drawn once for all who ask for the same: the case table asks for most shapes ten times. */
function normals(rows: number, cols: number, seed: number, count: number): Float64Array {
  const key = [rows, cols, seed, count].join();
  const known = drawn.get(key);
  if (known) return known;
  const random = randomStream(seed, 'test', rows, cols);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = random.normal();
  drawn.set(key, values);
  return values;
}

/** A matrix of standard normal values (times `scale`, plus `offset`), the same for the same seed. */
export function normalMatrix(
  rows: number,
  cols: number,
  { seed = 1, batch, scale = 1, offset = 0 }: { seed?: number; batch?: number; scale?: number; offset?: number } = {},
): Matrix {
  const values = normals(rows, cols, seed, rows * cols * (batch ?? 1));
  const data = new Float32Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = offset + scale * values[i];
  return { data, rows, cols, ...(batch !== undefined && { batch }) };
}

export function matrixOf(rows: number[][]): Matrix {
  return { data: Float32Array.from(rows.flat()), rows: rows.length, cols: rows[0].length };
}

/** The largest |a - b| / max(|b|, floor). */
export function worstRelative(a: ArrayLike<number>, b: ArrayLike<number>, floor = 1e-30): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const error = Math.abs(a[i] - b[i]) / Math.max(Math.abs(b[i]), floor);
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }
  return worst;
}

export const hasCpu = loadAddon() !== undefined;

/** EAT_DML_TEST_DEVICES ("cuda") names others: test/simt/shared.test.ts runs some of these files on the emulator. */
const named = process.env.EAT_DML_TEST_DEVICES?.split(',');

/** The devices tests run on; the CPU addon's absence is said in the test's name. */
export const testDevices = (named ?? (hasCpu ? ['js', 'cpu'] : ['js'])) as ('js' | 'cpu' | 'cuda' | 'webgpu')[];

/** How often: `all`, but `few` on what stands in for a GPU, which takes a hundred times as long, in the short form. */
export function timesOn(device: string, all: number, few: number): number {
  const emulated =
    (device === 'cuda' || device === 'webgpu') &&
    devices().some(({ name, byNameOnly }) => name === device && byNameOnly);
  return emulated && !LONG ? few : all;
}

/** A block that needs the addon: skipped, and shown as skipped, where there is none. */
export const describeNative = hasCpu ? describe : describe.skip;
