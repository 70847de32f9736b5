import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { float32Values, readSafetensors, writeSafetensors } from '../../src/models/safetensors.js';
import { randomStream } from '../../src/random.js';

/** tiny.safetensors, and files to be refused: written by safetensors 0.8 for Python and changed by hand. */
const FOLDER = 'test/goldens/safetensors';
const tiny = readFileSync(join(FOLDER, 'tiny.safetensors'));
const expected = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8'));

const read = (bytes: Uint8Array) => readSafetensors(bytes, (what) => new Error(`refused: ${what}.`));

/** A file with that header and so many bytes of data. */
function fileOf(header: string, data = 0): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]);
}

describe('reading', () => {
  test('what another program wrote', () => {
    const { tensors, metadata } = read(tiny);
    expect(Object.fromEntries(metadata)).toEqual(expected.metadata);
    expect([...tensors.keys()].sort()).toEqual(Object.keys(expected.tensors).sort());
    for (const [name, { shape, dtype, values }] of Object.entries<Record<string, never>>(expected.tensors)) {
      const stored = tensors.get(name)!;
      expect(stored.shape).toEqual(shape);
      if (dtype === 'float32') expect(Array.from(float32Values(stored))).toEqual(values);
    }
    expect(tensors.get('half')?.dtype).toBe('F16');
  });

  const sentences: Record<string, RegExp> = {
    '__proto__.safetensors': /names a tensor __proto__/,
    'duplicate-key.safetensors': /names "a" twice/,
    'header-too-long.safetensors': /header says to be \d+ bytes long, of 958 in the file/,
    'not-json.safetensors': /header is no JSON/,
    'offset-past-end.safetensors': /takes|begins at byte/,
    'overlap.safetensors': /takes|begins at byte/,
    'shape-does-not-match-bytes.safetensors': /of shape \[.*\] takes \d+ bytes, not \d+/,
    'shape-overflow.safetensors': /no shape|takes/,
    'short.safetensors': /holds 3 bytes/,
    'truncated.safetensors': /its tensors take \d+ bytes, and it holds \d+/,
    'unknown-dtype.safetensors': /a type that is not known/,
  };

  test.each(readdirSync(join(FOLDER, 'bad')))('refuses %s in one sentence', (name) => {
    expect(() => read(readFileSync(join(FOLDER, 'bad', name)))).toThrow(sentences[name]);
    expect(() => read(readFileSync(join(FOLDER, 'bad', name)))).toThrow(/^refused: [^\n]*\.$/);
  });

  test.each<[string, Buffer, RegExp]>([
    ['a list', fileOf('[]'), /no JSON object/],
    ['metadata that is no text', fileOf('{"__metadata__":{"a":1}}'), /no object of texts/],
    ['a gap', fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8), /begins at byte 4, not 0/],
    [
      'bytes after the last',
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 5),
      /take 4 bytes.*holds 5/,
    ],
    ['a key twice, once escaped', fileOf('{"__metadata__":{"a":"","\\u0061":""}}'), /names "a" twice/],
    ['text that is not UTF-8', Buffer.concat([fileOf('{"a'), Buffer.from([0xff])]), /no JSON|take/],
    ['another key', fileOf('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"b":1}}'), /does not know/],
    ['places in the wrong order', fileOf('{"a":{"dtype":"U8","shape":[0],"data_offsets":[4,0]}}', 4), /no place/],
    ['a negative length', fileOf('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}'), /no shape/],
  ])('refuses %s', (_, file, message) => {
    expect(() => read(file)).toThrow(message);
  });

  test('a file with any byte changed is refused, or holds tensors of its own bytes alone', () => {
    const { integer } = randomStream(1, 'safetensors');
    for (let i = 0; i < 2000; i++) {
      const changed = Buffer.from(tiny);
      changed[i % 2 ? integer(8) : 8 + integer(696)] = integer(256);
      try {
        const total = [...read(changed).tensors.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
        expect(total).toBeLessThanOrEqual(tiny.length);
      } catch (error) {
        expect((error as Error).message).toMatch(/^refused: /);
      }
    }
  });
});

test('what is written comes back, the values aligned', () => {
  const values = Float32Array.of(0.1, -0, Number.NaN, 1e-40);
  const tensors = [
    ['a/ä', { shape: [2, 2], values }],
    ['none', { shape: [0, 3], values: new Float32Array(0) }],
    ['one', { shape: [], values: values.subarray(0, 1) }],
  ] as const;
  const file = writeSafetensors(tensors, { format: 'test' });
  expect(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true) % 8n).toBe(0n);
  const back = read(file);
  expect(Object.fromEntries(back.metadata)).toEqual({ format: 'test' });
  expect(
    [...back.tensors].map(([name, tensor]) => [name, { shape: tensor.shape, values: float32Values(tensor) }]),
  ).toEqual(tensors.map(([name, { shape, values }]) => [name, { shape: [...shape], values }]));
});
