import { batchOf } from '../matrix.js';
import { type CentroidMeansArgs, centroidMeansReference } from '../reference/centroid-means.js';
import { onHost, type WebgpuKernel } from './host.js';
import { type Fixed, fixedFor, fixedValue, sumGroups, sumProgram } from './label-sums.js';
import { magnitudes, packRows, padded, parts, scan } from './rows.js';
import type { Gpu } from './run.js';

/** sums[l] = sum of w_i x_i over rows with label l, exactly, then as doubles; counts[l] = sum of w_i; means = sums / counts */
export const centroidMeans: WebgpuKernel<CentroidMeansArgs> = async (args, gpu) => {
  const { points, labels, weights, k, sums, counts, means } = args;
  const found = scan({ points }, args.checkFinite ?? true);
  const [d, wide] = [points.cols, padded(points.cols)];
  const fixed = found && fixedFor(found, labels.length, 1, weights && magnitudes({ data: weights }));
  const fits = fixed && 4 * fixed.words * wide * counts.length <= gpu.limits.binding && 4 * wide <= gpu.limits.binding;
  if (!fits) return onHost(centroidMeansReference(args), gpu);
  // Labels of all matrices side by side.
  const groups = Uint32Array.from(labels, (label, row) => Math.floor(row / points.rows) * k + label);
  counts.fill(0);
  for (let row = 0; row < groups.length; row++) counts[groups[row]] += weights ? weights[row] : 1;
  const words = await sumOnDevice(gpu, args, groups, fixed);
  for (let e = 0; e < means.length; e++) {
    const group = Math.floor(e / d);
    sums[e] = fixedValue(words, (group * wide + (e % d)) * fixed.words, fixed);
    means[e] = counts[group] > 0 ? sums[e] / counts[group] : 0;
  }
};

async function sumOnDevice(gpu: Gpu, args: CentroidMeansArgs, groups: Uint32Array<ArrayBuffer>, fixed: Fixed) {
  const { points, weights, counts } = args;
  const wide = padded(points.cols);
  const pipeline = await gpu.pipeline(sumProgram(fixed, wide, weights !== undefined));
  const words = new Uint32Array(counts.length * wide * fixed.words);
  const [sums, halt] = [gpu.buffer(words.byteLength), gpu.buffer(4)];
  const grid = gpu.limits.workgroups * Math.floor(4096 / Math.min(wide, 64));
  for (const { first, count } of parts(
    points.rows * batchOf(points),
    Math.min(gpu.limits.binding / (4 * wide), grid),
  )) {
    const own = groups.subarray(first, first + count);
    const inputs = [gpu.buffer(packRows(points, first, count, 1)), gpu.buffer(own), gpu.buffer(ordered(own))];
    if (weights) inputs.push(gpu.buffer(weights.subarray(first, first + count) as Float32Array<ArrayBuffer>));
    gpu.run([{ pipeline, words: [count, 0], buffers: [sums, halt, ...inputs], groups: sumGroups(count, wide) }]);
    gpu.free(...inputs);
  }
  await gpu.read([sums, words]);
  return words;
}

/** The rows in the order of their labels. */
function ordered(labels: Uint32Array): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(labels.reduce((most, label) => Math.max(most, label), 0) + 2);
  for (const label of labels) starts[label + 1]++;
  for (let i = 1; i < starts.length; i++) starts[i] += starts[i - 1];
  const order = new Uint32Array(labels.length);
  labels.forEach((label, row) => {
    order[starts[label]++] = row;
  });
  return order;
}
