import { readFileSync, statSync } from 'node:fs';
import { EatDmlError, invalid } from '../../errors.js';
import { fileError } from '../../files.js';
import { fromHalf } from '../../npy.js';
import { unpackNpz } from '../../npz.js';
import { type Dtype, readSafetensors, type StoredTensor } from '../safetensors.js';

/** A tensor of a file of weights. */
export interface FileTensor {
  shape: readonly number[];
  /** What it is stored as. */
  dtype: string;
  /** Its values as float32; absent of integers. */
  values?(): Float32Array;
}

/** What a file of weights holds. */
export interface WeightFile {
  tensors: Map<string, FileTensor>;
  metadata: ReadonlyMap<string, string>;
}

/** Of a file, and of what it unpacks to: more than any published network of this field by far. */
const MOST = 2 ** 32;

const CONVERSION = `python -c "import sys, torch, safetensors.torch as s
w = torch.load(sys.argv[1], map_location='cpu'); w = w.get('state_dict', w.get('model_state_dict', w)); s.save_file({k: v.contiguous() for k, v in w.items() if torch.is_tensor(v)}, sys.argv[2])" in.pth out.safetensors`;

/**
 * The tensors of a .safetensors or .npz file by name, and what it says of them; values are read when they are asked for.
 *
 * @throws EatDmlError ERR_PATH, ERR_SYSTEM; ERR_DATA that names the file and what is wrong with it.
 */
export function readWeights(path: string): WeightFile {
  const kind = /\.(\w+)$/.exec(path)?.[1].toLowerCase();
  if (kind === 'safetensors') return safetensorsIn(path, readWhole(path));
  if (kind === 'npz') return { tensors: npzIn(path, readWhole(path)), metadata: new Map() };
  const pickled = ['pth', 'pt', 'bin', 'ckpt', 'pkl', 'tar'].includes(kind ?? '');
  throw new EatDmlError('ERR_DATA', `Expected weights in a .safetensors or .npz file but received ${path}.`, {
    hint: pickled ? `A pickle may run any program, so it is not read here. Convert it:\n${CONVERSION}` : undefined,
  });
}

function readWhole(path: string): Uint8Array {
  try {
    if (path.includes('\0')) throw invalid('weights', 'a path', path);
    const stats = statSync(path);
    if (!stats.isFile())
      throw new EatDmlError('ERR_PATH', `Expected a file of weights but received a folder, ${path}.`);
    if (stats.size > MOST) {
      throw new EatDmlError(
        'ERR_DATA',
        `Expected weights of at most ${MOST} bytes but received ${stats.size} in ${path}.`,
      );
    }
    return readFileSync(path);
  } catch (error) {
    throw fileError('read weights from', path, error);
  }
}

function safetensorsIn(path: string, file: Uint8Array): WeightFile {
  const { tensors, metadata } = readSafetensors(file, (what) => {
    return new EatDmlError('ERR_DATA', `Expected ${path} to be a sound .safetensors file but ${what}.`);
  });
  const read = [...tensors].map(([name, tensor]) => {
    const widen = WIDENED[tensor.dtype];
    const { shape, dtype } = tensor;
    return [name, { shape, dtype, ...(widen && { values: () => widen(tensor) }) }] as const;
  });
  return { tensors: new Map(read), metadata };
}

/** Little-endian bytes, wherever they begin, as values. */
const WIDENED: Partial<Record<Dtype, (tensor: StoredTensor) => Float32Array>> = {
  F32: ({ bytes }) => new Float32Array(new Uint8Array(bytes).buffer),
  F64: ({ bytes }) => Float32Array.from(new Float64Array(new Uint8Array(bytes).buffer)),
  BF16: ({ bytes }) => {
    const halves = new Uint16Array(new Uint8Array(bytes).buffer);
    // The upper half of a float32.
    return new Float32Array(Uint32Array.from(halves, (bits) => bits * 2 ** 16).buffer);
  },
  F16: ({ bytes }) => Float32Array.from(new Uint16Array(new Uint8Array(bytes).buffer), fromHalf),
};

function npzIn(path: string, file: Uint8Array): Map<string, FileTensor> {
  return new Map(
    [...unpackNpz(file, path)].map(([name, read]) => {
      const { shape, data, integer } = read();
      const values = () => (data instanceof Float32Array ? data : Float32Array.from(data));
      return [name, { shape, dtype: integer ? 'integers' : 'floats', ...(!integer && { values }) }];
    }),
  );
}
