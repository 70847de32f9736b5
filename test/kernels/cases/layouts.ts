/** 0, lane counts ± 1, more than a task's share. */
export const SIZES = [1, 7, 8, 9, 15, 16, 17, 63, 1000, 32769, 70001];
export const EXTREMES = Float32Array.of(
  0,
  -0,
  1,
  -1,
  6,
  7,
  1e-38,
  3e38,
  -3e38,
  Infinity,
  -Infinity,
  NaN,
  1e-45,
  0.5,
  88,
  -88,
  100,
);

/** Shape, strides of a, strides of b. */
export const LAYOUTS: [number[], number[], number[]][] = [
  [
    [1, 1, 1, 1],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
  [
    [1, 1, 1, 17],
    [0, 0, 0, 1],
    [0, 0, 0, 1],
  ],
  [
    [1, 1, 1, 70001],
    [0, 0, 0, 1],
    [0, 0, 0, 0],
  ],
  [
    [1, 1, 1, 33],
    [0, 0, 0, 0],
    [0, 0, 0, 1],
  ],
  [
    [1, 1, 6001, 32],
    [0, 0, 32, 1],
    [0, 0, 0, 1],
  ],
  [
    [1, 1, 640, 128],
    [0, 0, 128, 1],
    [0, 0, 1, 0],
  ],
  [
    [1, 7, 5, 3],
    [0, 15, 3, 1],
    [0, 3, 0, 1],
  ],
  [
    [2, 3, 4, 5],
    [60, 0, 5, 1],
    [0, 20, 0, 1],
  ],
  [
    [2, 3, 4, 5],
    [20, 0, 5, 1],
    [0, 4, 1, 0],
  ],
];

/** Values that strides reach over a shape. */
export const reach = (shape: number[], strides: number[]) =>
  strides.reduce((n, s, axis) => n + (shape[axis] - 1) * s, 1);
