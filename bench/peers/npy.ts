import { readFileSync } from 'node:fs';
import type { Matrix } from '../../src/kernels/index.js';

/** A C-ordered float32 matrix from a .npy file (format version 1 or 2). */
export function readNpy(path: string): Matrix {
  const file = readFileSync(path);
  if (file.toString('latin1', 1, 6) !== 'NUMPY') throw new Error(`Expected a .npy file at ${path}.`);
  const wide = file[6] > 1;
  const start = wide ? 12 : 10;
  const end = start + (wide ? file.readUInt32LE(8) : file.readUInt16LE(8));
  const header = file.toString('latin1', start, end);
  const shape = header.match(/'shape': \((\d+), (\d+)\)/);
  if (!shape || !header.includes("'<f4'") || !header.includes("'fortran_order': False")) {
    throw new Error(`Expected a float32 matrix in C order at ${path} but received ${header.trim()}.`);
  }
  const [rows, cols] = [Number(shape[1]), Number(shape[2])];
  return { data: new Float32Array(file.buffer.slice(file.byteOffset + end)).subarray(0, rows * cols), rows, cols };
}
