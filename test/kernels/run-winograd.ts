/** Run as a child, with EAT_DML_WINOGRAD or without, or with the argument 'option', which forbids it by chooseBackend: a hash and the errors of conv2d and of its gradients by input and filter, shape by shape. */
import { createHash } from 'node:crypto';
import { chooseBackend } from '../../src/tfjs/index.js';
import { WINOGRAD_SHAPES, winogradGeometry, winogradOperands } from './cases/winograd.js';
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput } from './network/by-device.js';

function error(received: Float32Array, expected: Float32Array): number {
  const square = expected.reduce((sum, y) => sum + y * y, 0) / expected.length;
  const worst = received.reduce((most, y, i) => Math.max(most, Math.abs(y - expected[i])), 0);
  return worst / Math.sqrt(square);
}

if (process.argv[2] === 'option') await chooseBackend({ backend: 'native', winograd: false });
const outcomes = WINOGRAD_SHAPES.map(({ shape }) => {
  const geometry = winogradGeometry(shape);
  const { input, filter, dy } = winogradOperands(geometry);
  const forward = (device: 'cpu' | 'js') => conv2d({ geometry, input, filter, device });
  const backward = (device: 'cpu' | 'js') => conv2dBackpropInput({ geometry, dy, filter, device });
  const byFilter = (device: 'cpu' | 'js') => conv2dBackpropFilter({ geometry, input, dy, device });
  const [y, dx, dw] = [forward('cpu'), backward('cpu'), byFilter('cpu')];
  const bits = [y, dx, dw].map((values) => createHash('sha1').update(values).digest('hex'));
  return { bits, errors: [error(y, forward('js')), error(dx, backward('js')), error(dw, byFilter('js'))] };
});
const bits = outcomes.map((o) => o.bits);
process.stdout.write(JSON.stringify({ bits, errors: outcomes.map((o) => o.errors) }));
