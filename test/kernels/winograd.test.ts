import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { chooseBackend } from '../../src/tfjs/index.js';
import { LONG } from '../long.js';
import { program } from '../program.js';
import { WINOGRAD_SHAPES, winogradGeometry, winogradOperands } from './cases/winograd.js';
import { conv2d, conv2dBackpropInput } from './network/by-device.js';
import { describeNative } from './support.js';

const script = await program('test/kernels/run-winograd.ts');
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-winograd-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  /** Of conv2d, conv2dBackpropInput, conv2dBackpropFilter. */
  bits: string[][];
  /** The largest error of each, as a share of the root mean square; none beyond the channels of the contract. */
  errors: number[][];
}

function outcome(env: NodeJS.ProcessEnv, ...args: string[]): Outcome {
  const child = spawnSync(process.execPath, [script, ...args], { env: { ...process.env, ...env }, encoding: 'utf8' });
  expect(child.status, child.stderr).toBe(0);
  return JSON.parse(child.stdout);
}

describeNative('Winograd', () => {
  test('keeps to the errors that its contract states, runs where it says it does, and not where it is forbidden', () => {
    const file = join(folder, 'references');
    const [by, direct] = [outcome({ EAT_DML_WINOGRAD: '' }, file), outcome({ EAT_DML_WINOGRAD: 'off' }, file)];
    expect(outcome({ EAT_DML_WINOGRAD: '' }, 'option').bits).toEqual(direct.bits);
    WINOGRAD_SHAPES.forEach(({ tile, shape }, i) => {
      const bound = tile === 2 ? 1e-5 : 5e-5;
      const name = `${tile}x${tile}, ${shape.join(' ')}`;
      for (const pass of [0, 1, 2]) expect(by.bits[i][pass], `${name}, pass ${pass}`).not.toBe(direct.bits[i][pass]);
      expect(by.errors[i].length, name).toBe(shape[3] > 512 ? 0 : 3);
      for (const error of by.errors[i]) expect(error, name).toBeLessThanOrEqual(bound);
      for (const error of direct.errors[i]) expect(error, name).toBeLessThanOrEqual(1e-5);
    });
  });

  test.each(WINOGRAD_SHAPES)('an image alone is that image among others, to the bit: $shape', ({ shape }) => {
    const geometry = winogradGeometry(shape);
    const { input, filter, dy, bias } = winogradOperands(geometry);
    const [x, d] = [input.length, dy.length].map((length) => length / geometry.batch);
    const all = conv2d({ geometry, input, filter, bias });
    const gradients = conv2dBackpropInput({ geometry, dy, filter });
    const last = geometry.batch - 1;
    for (const i of LONG ? Array(last + 1).keys() : new Set([0, last >> 1, last])) {
      const one = { ...geometry, batch: 1 };
      const part = (of: Float32Array, size: number) => of.slice(i * size, (i + 1) * size);
      expect(conv2d({ geometry: one, input: part(input, x), filter, bias })).toEqual(part(all, d));
      expect(conv2dBackpropInput({ geometry: one, dy: part(dy, d), filter })).toEqual(part(gradients, x));
    }
  });

  test('is forbidden before the first convolution, and not after one', async () => {
    const geometry = winogradGeometry(WINOGRAD_SHAPES[0].shape);
    const { input, filter } = winogradOperands(geometry);
    conv2d({ geometry, input, filter });
    await expect(chooseBackend({ backend: 'native', winograd: false })).rejects.toThrow(
      'Expected winograd: false before the first convolution of this process but received it after one.',
    );
    await chooseBackend({ backend: 'native', winograd: true });
  });

  test('what is not finite is seen by every window that holds it, and by no tile that does not read it', () => {
    const geometry = winogradGeometry([2, 16, 16, 16, 16, 1, 1, 16, 16]);
    const { input, filter } = winogradOperands(geometry);
    const clean = conv2d({ geometry, input, filter });
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const broken = input.slice();
      broken[(5 * 16 + 6) * 16 + 3] = value;
      conv2d({ geometry, input: broken, filter }).forEach((y, i) => {
        const pixel = Math.floor(i / 16);
        const [row, column] = [Math.floor(pixel / 16), pixel % 16];
        const [down, across] = [row - 5, column - 6].map(Math.abs);
        if (pixel < 256 && down <= 1 && across <= 1) expect(y).not.toSatisfy(Number.isFinite);
        // Tiles are of 4 x 4, and read a pixel more on each side.
        if (pixel >= 256 || down > 5 || across > 5) expect(y).toBe(clean[i]);
      });
    }
  });
});
