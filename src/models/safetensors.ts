/**
 * Files of tensors by name (safetensors): the length of a header in eight bytes, the header as JSON, the values without a gap.
 * {"name": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"key": "text"}}
 */

/** Bytes of one value. */
const WIDTHS = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

export type Dtype = keyof typeof WIDTHS;

export interface StoredTensor {
  dtype: Dtype;
  shape: number[];
  /** A view of the file's, little-endian. */
  bytes: Uint8Array;
}

export interface Safetensors {
  tensors: Map<string, StoredTensor>;
  metadata: Map<string, string>;
}

/** A header of more is none that any program wrote: 100,000 tensors take about 10 MB. */
const LONGEST_HEADER = 16 * 2 ** 20;
const METADATA = '__metadata__';

/**
 * The tensors of a file, which share its bytes; nothing is copied. What is not as the format says throws what `refuse` makes
 * of it: "its header is no JSON".
 */
export function readSafetensors(file: Uint8Array, refuse: (what: string) => Error): Safetensors {
  if (file.length < 8) throw refuse(`it holds ${file.length} bytes, fewer than the length of a header`);
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  const left = file.length - 8;
  if (length > BigInt(Math.min(left, LONGEST_HEADER))) {
    throw refuse(
      `its header says to be ${length} bytes long, of ${left} in the file (the longest taken is ${LONGEST_HEADER})`,
    );
  }
  const data = file.subarray(8 + Number(length));
  const header = parseHeader(file.subarray(8, 8 + Number(length)), refuse);
  const metadata = readMetadata(header.get(METADATA), refuse);
  header.delete(METADATA);
  const entries = [...header].map(([name, entry]) => ({ name, ...readEntry(name, entry, refuse) }));
  checkCovered(entries, data.length, refuse);
  const tensors = entries.map(({ name, dtype, shape, start, end }) => {
    return [name, { dtype, shape, bytes: data.subarray(start, end) }] as const;
  });
  return { tensors: new Map(tensors), metadata };
}

function parseHeader(bytes: Uint8Array, refuse: (what: string) => Error): Map<string, unknown> {
  let header: unknown;
  let twice: string | undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
    twice = repeatedKey(text);
  } catch {
    throw refuse('its header is no JSON');
  }
  if (!isObject(header)) throw refuse('its header is no JSON object');
  const entries = new Map(Object.entries(header));
  if (twice !== undefined) throw refuse(`its header names ${JSON.stringify(twice)} twice`);
  if (entries.has('__proto__')) throw refuse('its header names a tensor __proto__');
  return entries;
}

/** A key that stands twice in one object of a JSON text, which JSON.parse is silent about. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, , colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*(:)?)|[[\]{}]/g)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

function readMetadata(value: unknown, refuse: (what: string) => Error): Map<string, string> {
  if (value === undefined) return new Map();
  const entries = isObject(value) ? Object.entries(value) : undefined;
  if (entries?.every(([, text]) => typeof text === 'string')) return new Map(entries as [string, string][]);
  throw refuse(`its ${METADATA} is no object of texts`);
}

interface Entry {
  dtype: Dtype;
  shape: number[];
  start: number;
  end: number;
}

function readEntry(name: string, entry: unknown, refuse: (what: string) => Error): Entry {
  const of = `its tensor ${JSON.stringify(name.slice(0, 100))}`;
  if (!isObject(entry)) throw refuse(`${of} is not described by an object`);
  const { dtype, shape, data_offsets: offsets, ...more } = entry;
  if (Object.keys(more).length > 0) throw refuse(`${of} has a key that the format does not know`);
  if (typeof dtype !== 'string' || !Object.hasOwn(WIDTHS, dtype)) throw refuse(`${of} is of a type that is not known`);
  if (!isSizes(shape)) throw refuse(`${of} has no shape`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1])
    throw refuse(`${of} has no place in the file`);
  const [start, end] = offsets;
  const bytes = shape.reduce((product, length) => product * length, WIDTHS[dtype as Dtype]);
  if (bytes !== end - start) throw refuse(`${of} of shape [${shape}] takes ${bytes} bytes, not ${end - start}`);
  return { dtype: dtype as Dtype, shape, start, end };
}

/** The tensors must fill the data: no gap, no overlap, nothing after the last. */
function checkCovered(entries: (Entry & { name: string })[], length: number, refuse: (what: string) => Error): void {
  let at = 0;
  for (const { name, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== at)
      throw refuse(`its tensor ${JSON.stringify(name.slice(0, 100))} begins at byte ${start}, not ${at}`);
    at = end;
  }
  if (at !== length) throw refuse(`its tensors take ${at} bytes, and it holds ${length}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
}

/** The values of a float32 tensor, copied out of the file's. */
export function float32Values({ bytes }: StoredTensor): Float32Array<ArrayBuffer> {
  // Little-endian like every platform that Node runs on.
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** A file of float32 tensors, in the order given. */
export function writeSafetensors(
  tensors: Iterable<readonly [name: string, { shape: readonly number[]; values: Float32Array }]>,
  metadata: Record<string, string> = {},
): Uint8Array {
  const all = [...tensors];
  let at = 0;
  const entries = all.map(([name, { shape, values }]) => {
    const start = at;
    at += values.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [start, at] }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries([[METADATA, metadata], ...entries])));
  // Blanks up to a multiple of eight, so that the values can be read in place.
  const length = Math.ceil(text.length / 8) * 8;
  const file = Buffer.alloc(8 + length + at, ' ');
  file.writeBigUInt64LE(BigInt(length));
  text.copy(file, 8);
  let end = 8 + length;
  for (const [, { values }] of all) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), end);
    end += values.byteLength;
  }
  return file;
}
