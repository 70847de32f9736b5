import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** One reproducible stream of random numbers. */
export interface RandomStream {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** `count` uniforms in [0, 1). */
  uniforms(count: number): Float64Array;
  /** The integers 0 .. count-1 in random order (Fisher-Yates). */
  permutation(count: number): Int32Array;
}

/**
 * The stream that belongs to `seed` and a path of names, such as `randomStream(1, 'batches', epoch)`.
 * Streams are derived, never shared: work that resumes at step t asks for the stream of step t and gets
 * the numbers that an uninterrupted run got, with no generator state to save.
 */
export function randomStream(seed: number, ...path: (string | number)[]): RandomStream {
  const generator = xoroshiro128plus(hash([seed, ...path].join('/')));
  const uniform = () => uniformFloat64(generator);
  const integer = (bound: number) => uniformInt(generator, 0, bound - 1);
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    uniforms: (count) => Float64Array.from({ length: count }, uniform),
    permutation(count) {
      const order = Int32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = integer(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    },
  };
}

/** An integer seed for a library that wants one (tf.initializers), derived like a stream. */
export function derivedSeed(seed: number, ...path: (string | number)[]): number {
  return hash([seed, ...path].join('/')) >>> 1;
}

/** FNV-1a over UTF-16 units, 32 bits, with a final avalanche so that near paths give far seeds. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
