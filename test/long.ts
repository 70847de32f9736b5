/** Whether tests take their long forms: in `npm run test:long`, and in all that CI runs. */
export const LONG = process.env.EAT_DML_TEST_LONG === '1';

/** Of a list so many at most, from its first on and spread over all of it; in the long form all. */
export function fewOf<T>(list: readonly T[], most: number): readonly T[] {
  if (LONG || list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]);
}
