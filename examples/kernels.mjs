// The kernels alone, without tfjs: node examples/kernels.mjs
import { devices, kmeans, nearestNeighbors, projectPerturbation } from 'eat-dml/kernels';

const random = (rows, cols) => ({ data: Float32Array.from({ length: rows * cols }, Math.random), rows, cols });
const points = random(1000, 64);

const { labels, inertia, iterations } = await kmeans(points, { k: 10, seed: 1 });
console.log(`k-means: ${iterations} iterations, inertia ${inertia.toFixed(1)}, point 0 is in cluster ${labels[0]}`);

const { indices } = await nearestNeighbors(points, points, { k: 3, excludeSelf: true });
console.log(`nearest to point 0: ${indices.subarray(0, 3).join(', ')}`);

// Onto the ball of radius 0.1 around `points`, and into [0, 1].
const delta = await projectPerturbation(random(1000, 64), { norm: 'l2', epsilon: 0.1, around: points, box: [0, 1] });
console.log(`length of perturbation 0: ${Math.hypot(...delta.data.subarray(0, 64)).toFixed(4)}`);

for (const { name, available, detail } of devices()) console.log(`${name}: ${available ? detail : `no (${detail})`}`);
