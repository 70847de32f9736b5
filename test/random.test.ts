import { expect, it } from 'vitest';
import { derivedSeed, randomStream } from '../src/random.js';

it('normals have mean 0 and variance 1, and a twentieth of them lie beyond 1.96', () => {
  const { normal } = randomStream(1, 'normal');
  const values = Array.from({ length: 20_000 }, normal);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  expect(Math.abs(values.filter((x) => Math.abs(x) > 1.96).length / values.length - 0.05)).toBeLessThan(0.006);
});

it('a permutation moves every number to every place as often', () => {
  const counts = new Float64Array(16);
  for (let seed = 0; seed < 4000; seed++) {
    for (const [at, value] of randomStream(seed, 'permutation').permutation(4).entries()) counts[4 * at + value]++;
  }
  for (const count of counts) expect(Math.abs(count / 4000 - 0.25)).toBeLessThan(0.03);
});

it('streams stay what they are: checkpoints are resumed and tables are repeated by them', () => {
  const { uniform, integer } = randomStream(1, 'batches', 3);
  expect([uniform(), integer(100), derivedSeed(1, 'member', 0)]).toEqual([0.041906387925531696, 43, 1525851924]);
  expect([...randomStream(2, 'order').permutation(6)]).toEqual([2, 5, 0, 1, 3, 4]);
});
