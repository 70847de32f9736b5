import { expect, test } from 'vitest';
import { configOf } from '../../src/config/sweep.js';
import type { SweepConfig } from '../../src/config/sweep-schema.js';

const sweep = (run: SweepConfig['runs'][string]): SweepConfig => ({
  out: 'out',
  seeds: [1],
  base: {
    model: { kind: 'conv', width: 8, dimension: 64 },
    training: { epochs: 3, learningRate: 0.1 },
    method: { name: 'at', attack: { epsilon: 0.1 } },
  },
  runs: { run },
});
const merged = (run: SweepConfig['runs'][string]) => configOf(sweep(run), 'run', 7);

test('a run changes the base key by key, but another choice whole', () => {
  expect(merged({ training: { epochs: 5 } })).toMatchObject({ seed: 7, training: { epochs: 5, learningRate: 0.1 } });
  expect(merged({ model: { kind: 'conv', width: 2 } }).model).toEqual({ kind: 'conv', width: 2, dimension: 64 });
  expect(merged({ model: { kind: 'resnet18', dimension: 18 } }).model).toEqual({ kind: 'resnet18', dimension: 18 });
  expect(merged({ method: { name: 'at', attack: { epsilon: 0.2 } } }).method).toEqual({
    name: 'at',
    attack: { epsilon: 0.2 },
  });
});
