import { describe, expect, test } from 'vitest';
import { type RunResult, type TableRow, tablePicture, tableRows } from '../../src/report/index.js';
import { reportOf } from './reports.js';

const run = (label: string, seed: number, worst: number, budget = 'epochs'): RunResult => ({
  ...{ label, seed, budget, history: { epochs: 4, gradientEvaluations: 12e6, seconds: 1 } },
  report: reportOf(0.9, { pgd: worst }),
});

/** Attributes of every element of this name, in order. */
function elements(svg: string, name: string): Record<string, string>[] {
  return [...svg.matchAll(new RegExp(`<${name}( [^>]*)>`, 'g'))].map(([, attributes]) =>
    Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
  );
}

const filled = (svg: string) => elements(svg, 'circle').filter(({ r }) => r === '4.5');
const rings = (svg: string) => elements(svg, 'circle').filter(({ r }) => r === '3.5');

describe('the picture of a table', () => {
  test('a method has a dot in both panels, at its figure, its interval and the ring of its clean figure', async () => {
    const rows = tableRows([run('eat', 1, 0.5), run('eat', 2, 0.6), run('at', 1, 0.25), run('at', 2, 0.25)]);
    const svg = await tablePicture(rows);
    expect([filled(svg).length, rings(svg).length]).toEqual([4, 4]);
    const [eat, at, ...others] = filled(svg).map(({ cx, cy }) => ({ x: Number(cx), y: Number(cy) }));
    const clean = Number(rings(svg)[0].cx);
    // 0.55 and 0.25, beside 0.9, on one scale.
    expect((clean - eat.x) / (clean - at.x)).toBeCloseTo((0.9 - 0.55) / (0.9 - 0.25), 2);
    expect(eat.y).toBeLessThan(at.y);
    expect(others.map(({ y }) => y)).toEqual([eat.y, at.y]);
    const width = clean - eat.x;
    const intervals = elements(svg, 'line').filter(
      ({ y1, y2, x1, x2 }) => y1 === y2 && Number(x2) - Number(x1) > width,
    );
    // t(1, 97.5%) is 12.706: from below 0 to above 1, which both ends of a panel cut off.
    expect(intervals).toHaveLength(2);
    for (const { x1, x2 } of intervals) expect(Number(x2) - Number(x1)).toBeCloseTo(width / 0.35, 0);
  });

  test('budgets lie one below the other, but one with a single method among others', async () => {
    const three = [run('eat', 1, 0.5), run('at', 1, 0.4), run('at', 1, 0.3, 'compute')];
    const one = await tablePicture(tableRows(three));
    expect(filled(one)).toHaveLength(4);
    expect(one).not.toContain('at equal');
    const both = await tablePicture(tableRows([...three, run('eat', 1, 0.2, 'compute')]));
    expect(filled(both)).toHaveLength(8);
    expect(both).toMatch(/at equal epochs[\s\S]*at equal compute/);
    const tops = elements(both, 'svg').map(({ y = '0' }) => Number(y));
    expect(new Set(tops).size).toBe(2);
    const alone = await tablePicture(tableRows([run('at', 1, 0.4)]));
    expect(filled(alone)).toHaveLength(2);
  });

  test('figures that are not defined are left out', async () => {
    const [row] = tableRows([run('at', 1, 0.4)]);
    const missing: TableRow = { ...row, values: { ...row.values, worstNmi: null, cleanRecallAt1: null } };
    const svg = await tablePicture([missing]);
    expect([filled(svg).length, rings(svg).length]).toEqual([1, 1]);
    expect(svg).not.toMatch(/NaN|Infinity|null|undefined/);
  });

  test('labels that are alike as far as they are shown have a row each, and failed checks are said', async () => {
    const label = 'eat with a very long label, number';
    const rows = tableRows([run(`${label} one`, 1, 0.4), run(`${label} two`, 1, 0.3)]);
    const svg = await tablePicture([{ ...rows[0], failedChecks: ['gradients'] }, rows[1]]);
    expect(new Set(filled(svg).map(({ cy }) => cy)).size).toBe(2);
    expect(svg.match(/CHECKS FAILED<\/text>/g)).toHaveLength(1);
    expect(svg).toMatch(/aria-label="[^"]*CHECKS FAILED/);
  });

  test('no rows are refused', async () => {
    await expect(tablePicture([])).rejects.toThrow(/^Expected at least one row for rows but received/);
  });

  test('names are text, whatever is in them, and long ones are cut', async () => {
    const svg = await tablePicture(
      tableRows([run('<script>alert(1)</script>&"', 1, 0.4), run(`\u0001${'m'.repeat(400)}`, 1, 0.3)]),
    );
    expect(svg).not.toContain('\u0001');
    expect(svg).not.toContain('<script');
    expect(svg.replace(/aria-label="[^"]*"/, '')).not.toContain('m'.repeat(40));
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    const opened = svg.match(/<[a-z][^>]*>/g)!.length;
    expect(svg.match(/<\/[a-z]+>/g)).toHaveLength(opened);
  });
});
