/** One row of a kernel's parity table: runs the kernel on a device and gives named results. */
export interface ParityCase {
  kernel: string;
  name: string;
  run: (device: 'js' | 'cpu' | 'cuda' | 'webgpu') => Promise<Record<string, ArrayLike<number>>>;
  /** Relative tolerance by result name; a result that is not named must be equal. */
  tolerance: Record<string, number>;
  /** Differences below this absolute size count as equal (results that cancel to about 0). */
  floor?: number;
}
