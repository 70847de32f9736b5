/** Does the pieces of some work from `begin` to before `end`. */
export type Part<T> = (begin: number, end: number) => Promise<T>;

/**
 * How work that falls into pieces is shared out among processes that all have what it takes. Alone all pieces are done here ({@link ALONE});
 * ranks do a part each, and all of them have the results, which are typed arrays and plain values. `what` names the work with what its
 * result depends on: those who share it have to agree on that.
 */
export interface Sharing {
  /** What all parts came to, in the order of the pieces. */
  parts<T>(what: string, pieces: number, part: Part<T>): Promise<T[]>;
  /** Of what the parts came to the one with the least `value`; of several the first. */
  least<T>(what: string, pieces: number, part: Part<T>, value: (result: T) => number): Promise<T>;
}

/** Nobody shares. */
export const ALONE: Sharing = {
  parts: async (_, pieces, part) => [await part(0, pieces)],
  least: (_, pieces, part) => part(0, pieces),
};
