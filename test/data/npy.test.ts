import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/data/npy.js';
import { EatDmlError } from '../../src/errors.js';
import { decodeNpy } from '../../src/npy.js';
import { randomStream } from '../../src/random.js';
import goldens from '../goldens/npy.json' with { type: 'json' };

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-npy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cases = Object.entries(goldens.cases).map(([name, { file, shape, values }]) => ({
  ...{ name, shape, values },
  bytes: new Uint8Array(Buffer.from(file, 'base64')),
}));

describe('.npy files that numpy wrote', () => {
  it.each(cases)('$name', ({ name, bytes, shape, values }) => {
    const array = decodeNpy(bytes, name);
    expect(array.shape).toEqual(shape);
    expect([...array.data]).toEqual(values);
    expect(array.integer).toBe(/[iu]\d|bool/.test(name));
  });

  it.each(cases)('$name, cut or followed by more', ({ name, bytes }) => {
    for (const other of [bytes.subarray(0, -1), Uint8Array.of(...bytes, 0), bytes.subarray(0, 9), new Uint8Array()]) {
      expect(() => decodeNpy(other, 'the file')).toThrow(/but received .* in the file\./);
    }
    expect(name).toBeTruthy();
  });
});

it('is written as it is read', async () => {
  for (const data of [Float32Array.of(0.1, 2, 3, 4), Float64Array.of(0.1, 2, 3, 4), Int32Array.of(-1, 2, 3, 4)]) {
    for (const shape of [[4], [2, 2], [1, 4, 1]]) {
      const path = join(folder, 'a.npy');
      await writeNpy(path, { shape, data });
      const bytes = readFileSync(path);
      expect((bytes.length - data.byteLength) % 64).toBe(0);
      const array = await readNpy(path);
      expect([array.shape, [...array.data]]).toEqual([shape, [...data]]);
    }
  }
  await expect(writeNpy('x.npy', { shape: [3], data: Int32Array.of(1) })).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
  });
});

it('is refused in one sentence where it is none', async () => {
  const none = join(folder, 'none.npy');
  await expect(readNpy(none)).rejects.toThrow(`Expected a readable .npy file but received none at ${none}.`);
  writeFileSync(join(folder, 'text.npy'), 'a,b\n1,2\n');
  await expect(readNpy(join(folder, 'text.npy'))).rejects.toThrow(
    /Expected a \.npy file but received .* in .*text\.npy/,
  );
  const named = (descr: string) => {
    const header = `{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }\n`;
    return Uint8Array.from([
      ...Buffer.from('\u0093NUMPY\u0001\u0000', 'latin1'),
      header.length,
      0,
      ...Buffer.from(header),
    ]);
  };
  for (const descr of ["'<c8'", "'<U3'", "'|O'", "[('a', '<f4')]"]) {
    expect(() => decodeNpy(named(descr), 'it')).toThrow('an array of plain numbers');
  }
});

it('ends in one error or an array, whatever a byte became', () => {
  const random = randomStream(5, 'npy');
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from(cases[random.integer(cases.length)].bytes);
    for (let n = 0; n < 3; n++) bytes[random.integer(bytes.length)] = random.integer(256);
    try {
      decodeNpy(bytes, 'mutated');
    } catch (error) {
      expect(error).toBeInstanceOf(EatDmlError);
    }
  }
});
