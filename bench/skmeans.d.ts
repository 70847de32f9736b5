declare module 'skmeans' {
  export default function skmeans(
    data: number[][],
    k: number,
    init?: number[][],
    maxIterations?: number,
  ): { it: number; k: number; centroids: number[][]; idxs: number[] };
}
