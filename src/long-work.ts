import { callback, signal } from './options.js';

/** How far long work on images is. */
export interface ImageProgress {
  /**
   * `find`: looking for the files; `check`: decoding every image, for `skipBroken` and `--verify`; `hash`: reading every file; `copy`:
   * out of Parquet files; `render`: drawings; `decode`: into a cache on disk; `embed`: by the networks.
   */
  phase: 'find' | 'check' | 'hash' | 'copy' | 'render' | 'decode' | 'embed';
  /** Images so far, of `total`. */
  done: number;
  total: number;
  imagesPerSecond: number;
  /** Seconds left. */
  etaSeconds: number;
}

/** What long work on images may be told. What `onProgress` throws ends the work. */
export interface LongWork {
  signal?: AbortSignal;
  onProgress?(progress: ImageProgress): void;
}

/** {@link LongWork}, as keys of a schema. */
export const longWork = {
  signal: signal.optional(),
  onProgress: callback<(progress: ImageProgress) => void>().optional().describe('told how far the work is'),
};

/** Counts the images of one phase: call the result after some of them, by default one. */
export function counter(
  phase: ImageProgress['phase'],
  total: number,
  onProgress: LongWork['onProgress'],
): (images?: number) => void {
  const start = performance.now();
  let done = 0;
  return (images = 1) => {
    done += images;
    const seconds = Math.max(1e-9, (performance.now() - start) / 1000);
    const etaSeconds = (seconds * (total - done)) / done;
    onProgress?.({ phase, done, total, imagesPerSecond: done / seconds, etaSeconds });
  };
}
