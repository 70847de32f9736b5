/**
 * Run as a child, with EAT_DML_WINOGRAD or without, or with the argument 'option', which forbids it by chooseBackend: a hash of conv2d and of
 * its gradients by input and filter, shape by shape, and with the argument of a file their errors; it keeps the references for the next child.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { chooseBackend } from '../../src/tfjs/index.js';
import { WINOGRAD_SHAPES, winogradGeometry, winogradOperands } from './cases/winograd.js';
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput } from './network/by-device.js';

function error(received: Float32Array, expected: Float32Array): number {
  const square = expected.reduce((sum, y) => sum + y * y, 0) / expected.length;
  const worst = received.reduce((most, y, i) => Math.max(most, Math.abs(y - expected[i])), 0);
  return worst / Math.sqrt(square);
}

const [given] = process.argv.slice(2);
if (given === 'option') await chooseBackend({ backend: 'native', winograd: false });
const file = given === 'option' ? undefined : given;
const known: Float32Array[][] | undefined = file && existsSync(file) ? deserialize(readFileSync(file)) : undefined;
const references: Float32Array[][] = [];
const outcomes = WINOGRAD_SHAPES.map(({ shape }, i) => {
  const geometry = winogradGeometry(shape);
  const { input, filter, dy } = winogradOperands(geometry);
  const forward = (device: 'cpu' | 'js') => conv2d({ geometry, input, filter, device });
  const backward = (device: 'cpu' | 'js') => conv2dBackpropInput({ geometry, dy, filter, device });
  const byFilter = (device: 'cpu' | 'js') => conv2dBackpropFilter({ geometry, input, dy, device });
  const [y, dx, dw] = [forward('cpu'), backward('cpu'), byFilter('cpu')];
  const bits = [y, dx, dw].map((values) => createHash('sha1').update(values).digest('hex'));
  // The contract's bounds are for up to 512 channels.
  if (!file || shape[3] > 512) return { bits, errors: [] };
  references[i] = known?.[i] ?? [forward('js'), backward('js'), byFilter('js')];
  return { bits, errors: [y, dx, dw].map((values, pass) => error(values, references[i][pass])) };
});
if (file && !known) writeFileSync(file, serialize(references));
const bits = outcomes.map((o) => o.bits);
process.stdout.write(JSON.stringify({ bits, errors: outcomes.map((o) => o.errors) }));
