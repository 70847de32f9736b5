import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { crc32c } from '../../src/report/crc32c.js';
import { openEventFile, writeProjector } from '../../src/report/index.js';
import { canMount, smallDisk } from '../small-disk.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-tensorboard-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A reader of its own: the records of a file, each checksum checked. */
function records(file: Buffer): Buffer[] {
  const checked = (data: Buffer, at: number) => {
    const unmasked = (file.readUInt32LE(at) - 0xa282ead8) >>> 0;
    expect(((unmasked >>> 17) | (unmasked << 15)) >>> 0).toBe(crc32c(data));
  };
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    checked(file.subarray(at, at + 8), at + 8);
    const data = file.subarray(at + 12, at + 12 + length);
    checked(data, at + 12 + length);
    found.push(data);
    at += length + 16;
  }
  return found;
}

/** The fields of a protocol buffer message, by number. */
function fields(message: Buffer): [number, number | Buffer][] {
  const found: [number, number | Buffer][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const [field, type] = [key >> 3, key & 7];
    const length = type === 2 ? varint() : type === 1 ? 8 : 4;
    if (type === 0) found.push([field, varint()]);
    else {
      const raw = message.subarray(at, at + length);
      found.push([field, type === 1 ? raw.readDoubleLE() : type === 5 ? raw.readFloatLE() : raw]);
      at += length;
    }
  }
  return found;
}

test('the checksum is the published one', () => {
  // The check value of CRC-32C, and RFC 3720's 32 zeros and 32 ones.
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

test('an event file holds what was written, in order', () => {
  const before = Date.now() / 1000;
  const events = openEventFile(join(folder, 'run'));
  events.scalars(1, { loss: 2.5, 'images per second': 300 });
  events.scalars(300_000_000_000, { loss: Number.NaN, ätag: -1 });
  events.close();
  expect(events.path).toMatch(/events\.out\.tfevents\.\d+/);
  const [version, ...steps] = records(readFileSync(events.path)).map(fields);
  expect(version[1]).toEqual([3, Buffer.from('brain.Event:2')]);
  const written = steps.map(([time, [, step], [field, summary]]) => {
    expect(time[1]).toBeGreaterThanOrEqual(before);
    expect(field).toBe(5);
    const values = fields(summary as Buffer).map(([, value]) => fields(value as Buffer));
    return [step, values.map(([[, tag], [number, value]]) => [String(tag), number, value])];
  });
  expect(written).toEqual([
    [
      1,
      [
        ['loss', 2, 2.5],
        ['images per second', 2, 300],
      ],
    ],
    [
      300_000_000_000,
      [
        ['loss', 2, Number.NaN],
        ['ätag', 2, -1],
      ],
    ],
  ]);
});

test('settings and pictures are encoded as TensorBoard’s protocol buffers have them', () => {
  const events = openEventFile(join(folder, 'more'));
  const png = Uint8Array.of(137, 80, 78, 71);
  events.hyperparameters({ rate: 1e-3, name: 'eat', frozen: true });
  events.images(3, { 'examples/0': { png, width: 7, height: 300 } });
  events.close();
  const [settings, pictures] = records(readFileSync(events.path))
    .slice(1)
    .map((record) => {
      const [, [, step], [, summary]] = fields(record);
      const [[, value]] = fields(summary as Buffer);
      return { step, value: new Map(fields(value as Buffer)) };
    });
  expect(pictures.step).toBe(3);
  expect(String(pictures.value.get(1))).toBe('examples/0');
  expect(fields(pictures.value.get(4) as Buffer)).toEqual([
    [1, 300],
    [2, 7],
    [3, 3],
    [4, Buffer.from(png)],
  ]);
  expect(String(settings.value.get(1))).toBe('_hparams_/session_start_info');
  const inside = (message: number | Buffer, ...path: number[]) =>
    path.reduce((at, field) => new Map(fields(at as Buffer)).get(field)!, message);
  const metadata = settings.value.get(9)!;
  expect(String(inside(metadata, 1, 1))).toBe('hparams');
  const entries = fields(inside(metadata, 1, 2, 3) as Buffer).flatMap(([field, entry]) =>
    field === 1 ? [[String(inside(entry, 1)), fields(inside(entry, 2) as Buffer)]] : [],
  );
  expect(entries).toEqual([
    ['rate', [[2, 1e-3]]],
    ['name', [[3, Buffer.from('eat')]]],
    ['frozen', [[4, 1]]],
  ]);
  const open = openEventFile(join(folder, 'more'));
  expect(() => open.hyperparameters({ list: [1] as never })).toThrow(/values\.list/);
  expect(() => open.images(1, { a: { png: 'x' as never, width: 1, height: 1 } })).toThrow(/images\.a\.png/);
  open.close();
});

test('two files of one run do not collide, and a bad step is named', () => {
  const files = [openEventFile(join(folder, 'twice')), openEventFile(join(folder, 'twice'))];
  expect(readdirSync(join(folder, 'twice'))).toHaveLength(2);
  expect(() => files[0].scalars(0.5, {})).toThrow(/step/);
  for (const file of files) file.close();
});

test.skipIf(!canMount)('a full disk is an error of its own, and leaves a file that can be read and written on', () => {
  const disk = smallDisk(64);
  const events = openEventFile(disk.path);
  disk.fill();
  const overfull = () => {
    for (let step = 1; step < 1000; step++) events.scalars(step, { loss: step });
  };
  expect(overfull).toThrow(expect.objectContaining({ code: 'ERR_SYSTEM', message: expect.stringMatching(/ENOSPC/) }));
  const before = records(readFileSync(events.path)).length;
  expect(() => openEventFile(disk.path)).toThrow(/ENOSPC/);
  disk.empty();
  events.scalars(7, { loss: 1 });
  events.close();
  expect(records(readFileSync(events.path))).toHaveLength(before + 1);
  expect(readdirSync(disk.path)).toHaveLength(1);
});

test('the projector gets rows, labels and a configuration that names them', () => {
  const out = join(folder, 'projector');
  writeProjector(out, { data: Float32Array.of(1, 2, 3, 4.5), rows: 2, cols: 2 }, ['a b', 'c\td']);
  const read = (name: string) => readFileSync(join(out, name), 'utf8');
  expect(read('tensors.tsv')).toBe('1\t2\n3\t4.5\n');
  expect(read('metadata.tsv')).toBe('a b\nc d\n');
  expect(read('projector_config.pbtxt')).toMatch(/tensor_path: "tensors\.tsv"[\s\S]*metadata_path: "metadata\.tsv"/);
  expect(() => writeProjector(out, { data: new Float32Array(4), rows: 2, cols: 2 }, [1])).toThrow(/labels/);
});
