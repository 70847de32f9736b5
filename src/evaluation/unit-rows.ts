import { EatDmlError } from '../errors.js';
import type { Matrix } from '../kernels/index.js';
import type { Ensemble } from '../models/index.js';

/** How far a row's length may be from 1: float32 embeddings are within a millionth. */
const TOLERANCE = 1e-3;

/**
 * Throws unless every member's embeddings are unit rows, as the objectives and the ensemble take them: `embeddings` [n, d] of
 * the ensemble have the members' side by side, each over sqrt(N).
 */
export function checkUnitRows({ members }: Pick<Ensemble, 'members'>, { data, rows, cols }: Matrix): void {
  let first = 0;
  for (const [i, { embedding }] of members.entries()) {
    for (let row = 0; row < rows; row++) {
      let squares = 0;
      for (let j = first; j < first + embedding; j++) squares += data[row * cols + j] ** 2;
      const length = Math.sqrt(squares * members.length);
      if (Math.abs(length - 1) <= TOLERANCE) continue;
      throw notUnit(`ensemble.members[${i}]`, length, row);
    }
    first += embedding;
  }
}

function notUnit(member: string, length: number, row: number): EatDmlError {
  if (!Number.isFinite(length)) {
    return new EatDmlError(
      'ERR_NOT_FINITE',
      `Expected finite embeddings of ${member} but received NaN or Inf in row ${row}.`,
    );
  }
  const received = `length ${Number(length.toPrecision(4))} in row ${row}`;
  return new EatDmlError(
    'ERR_ARGUMENT',
    `Expected embeddings of unit length from ${member} but received ${received}.`,
    {
      hint: 'The last thing that an embedder does is to scale its rows: x / |x|.',
    },
  );
}
