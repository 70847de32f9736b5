import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ballProperties } from '../kernels/ball-properties.js';
import { attackCases } from '../kernels/cases/attacks.js';
import { worstRelative } from '../kernels/support.js';
import { program } from '../program.js';
import { describeSimt } from './addon.js';

const tiles = await program('test/simt/run-attack-tiles.ts');

/** A thread per element or row, then vectors and a block per row; native/cuda/attack/elementwise.h, row_variants.h. */
describeSimt.each(['1', '2'])('attacks, variant %s', (variant) => {
  beforeAll(() => {
    process.env.EAT_DML_CUDA_VARIANT = variant;
  });
  afterAll(() => {
    delete process.env.EAT_DML_CUDA_VARIANT;
  });

  test.each(attackCases.map((row) => [`${row.kernel}: ${row.name}`, row] as const))('%s', async (_, row) => {
    const [expected, received] = [await row.run('js'), await row.run('cuda')];
    for (const [result, values] of Object.entries(expected)) {
      const worst = worstRelative(received[result], values, row.floor);
      expect(worst, `${result} is off by ${worst} relative`).toBeLessThanOrEqual(row.tolerance[result] ?? 0);
    }
  });
  ballProperties('cuda');
});

describeSimt('attacks on a device with little memory', () => {
  const run = (memory: string) => {
    const env = { ...process.env, EAT_SIMT_MEMORY: memory };
    const child = spawnSync(process.execPath, [tiles], { env, encoding: 'utf8' });
    expect(child.status, child.stderr).toBe(0);
    return JSON.parse(child.stdout) as Record<string, string>;
  };

  test('work in tiles, to the same bits, and leave their input alone where they refuse it', () => {
    const tiled = run('150000');
    expect(tiled).toEqual(run('1000000000'));
    expect(tiled['l1 step over its input']).toBe(tiled['l1 step']);
    expect(tiled['l2 refused']).toBe('Expected finite values in gradient but received NaN in row 89. true');
  });
});
