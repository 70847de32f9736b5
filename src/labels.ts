/** float32 has every integer up to here; beyond it neighbours become one, and two classes with them. */
const EXACT_IN_FLOAT32 = 2 ** 24;

/**
 * What should be in the place of the label at `i`; undefined where it is an integer, and none that the array which holds it
 * may have rounded.
 */
export function labelProblem(labels: ArrayLike<unknown>, i: number): string | undefined {
  // A BigInt, a string or a hole would fail later, or be read as a number.
  if (!Number.isSafeInteger(labels[i])) return 'an integer';
  if (labels instanceof Float32Array && Math.abs(labels[i]) >= EXACT_IN_FLOAT32) {
    return 'an integer below 2^24, as float32 rounds larger ones,';
  }
  return undefined;
}
