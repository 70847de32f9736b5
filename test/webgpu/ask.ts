/** A process that imports the kernels, then asks for the device: prints what was loaded before, what there is, and what a call gave. */
import { createRequire } from 'node:module';
import { devices, pairwiseDistance } from '../../src/kernels/index.js';

const loaded = Object.keys(createRequire(import.meta.url).cache).some((path) => path.endsWith('dawn.node'));
const [x, y] = [
  [1, 2, 3],
  [4, 5, 6],
].map((row) => ({ data: Float32Array.from(row), rows: 1, cols: 3 }));
const result = await pairwiseDistance(x, y, { device: 'webgpu' }).then(
  ({ data }) => String(data[0]),
  (error) => `${error.code}: ${error.message}`,
);
const { detail, available } = devices().find(({ name }) => name === 'webgpu')!;
process.stdout.write(JSON.stringify({ loaded, detail, available, result }));
