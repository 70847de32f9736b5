import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/random.js';
import { principal, projected } from '../../src/report/html/project.js';
import { reportHtml } from '../../src/report/index.js';
import { gatheredOf } from './gathered.js';
import { fullReport } from './reports.js';

/** Rows that vary along the given axes by these, and hardly along others. */
function cloud(rows: number, spreads: readonly number[]) {
  const { normal } = randomStream(3, 'cloud');
  const cols = spreads.length;
  const data = Float32Array.from({ length: rows * cols }, (_, i) => 5 + spreads[i % cols] * normal());
  return { data, rows, cols };
}

const column = (rows: readonly (readonly number[])[], axis: number) => rows.map((row) => row[axis]);

function correlation(a: readonly number[], b: readonly number[]): number {
  const centred = (list: readonly number[]) =>
    list.map((value) => value - list.reduce((s, v) => s + v, 0) / list.length);
  const [x, y] = [centred(a), centred(b)];
  const dot = (p: readonly number[], q: readonly number[]) => p.reduce((sum, value, i) => sum + value * q[i], 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

describe('the plane', () => {
  test('of PCA has the two directions of largest variance, the larger first', () => {
    const matrix = cloud(200, [0.1, 3, 0.1, 1, 0.1]);
    const points = principal(matrix, 1);
    const own = (axis: number) => Array.from({ length: 200 }, (_, row) => matrix.data[5 * row + axis]);
    expect(Math.abs(correlation(column(points, 0), own(1)))).toBeGreaterThan(0.99);
    expect(Math.abs(correlation(column(points, 1), own(3)))).toBeGreaterThan(0.99);
  });

  test('of rows that are all alike is one point', () => {
    expect(principal({ data: new Float32Array(12).fill(1), rows: 4, cols: 3 }, 1)).toEqual(
      [0, 1, 2, 3].map(() => [0, 0]),
    );
  });

  test('of UMAP keeps groups together, and is the same from the same seed', async () => {
    const { clean } = gatheredOf(90, 3);
    const { points, method } = await projected(clean.embeddings, 1);
    expect(method).toBe('UMAP');
    const apart = (a: number, b: number) => Math.hypot(points[a][0] - points[b][0], points[a][1] - points[b][1]);
    let [within, between] = [0, 0];
    for (let i = 0; i < 87; i++) [within, between] = [within + apart(i, i + 3), between + apart(i, i + 1)];
    expect(within).toBeLessThan(between / 2);
    expect((await projected(clean.embeddings, 1)).points).toEqual(points);
  });

  test('of few rows, and of very many, is that of PCA', async () => {
    for (const rows of [30, 4001]) expect((await projected(cloud(rows, [1, 1]), 1)).method).toBe('PCA');
  });
});

test('the table of clusters has each class’s own cluster on its diagonal, and leaves nothing out', async () => {
  const gathered = gatheredOf(10, 3);
  const cells = [
    { label: 0, cluster: 2, images: 5 },
    { label: 0, cluster: 1, images: 1 },
    { label: 1, cluster: 0, images: 4 },
    { label: 2, cluster: 1, images: 3 },
  ];
  const table = { clean: cells, attacked: cells };
  const page = await reportHtml([{ name: 'at', report: fullReport(), gathered: { ...gathered, table } }]);
  const shown = page.slice(page.indexOf('Clusters of clean images</caption>')).split('</table>')[0];
  const text = shown
    .replace(/<\/t[hd]>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .replace(/[ ]+/g, ' ')
    .trim();
  expect(
    text
      .split('\n')
      .map((line) => line.trim())
      .slice(1),
  ).toEqual(['class k2 k0 k1 other', '0 5 0 1 0', '1 0 4 0 0', '2 0 0 3 0']);
});

test('the map says what its colours are, or how many where they are many', async () => {
  const legendOf = async (classes: number) => {
    const report = { ...fullReport(), classNames: { 1: 'ant' } };
    const page = await reportHtml([{ name: 'at', report, gathered: gatheredOf(40, classes) }]);
    return page
      .match(/<div id="legend".*?<\/div>/s)![0]
      .replace(/<[^>]*>/g, ' ')
      .replace(/ +/g, ' ')
      .trim();
  };
  expect(await legendOf(3)).toBe('Colours are classes: class 0 ant class 2');
  expect(await legendOf(13)).toBe('Colours are 13 classes, too many to list.');
});

test('the map has each point once in each plane, and pictures their tiles', async () => {
  const page = await reportHtml([{ name: 'at', report: fullReport(), gathered: gatheredOf(40) }]);
  const { planes, labels, sheet } = JSON.parse(page.match(/id="map-data">(.*?)<\/script>/s)![1]);
  expect(planes.map((plane: number[]) => plane.length)).toEqual([80, 80]);
  for (const value of planes.flat()) expect(value >= 0 && value <= 1000).toBe(true);
  expect(labels).toHaveLength(40);
  expect(sheet).toEqual({ columns: 7, width: 8, height: 8 });
  expect(page.match(/h0/g)).toHaveLength(80);
  expect(page.match(/<img src="data:image\/png/g)).toHaveLength(2 * 5);
});
