import { scoreText } from '../score-text.js';
import { shortened } from '../shortened.js';
import { COLOURS, colour, figure } from './figure.js';
import { html, type Markup } from './markup.js';

/** A bar, and how sure it is. */
export interface Bar {
  name: string;
  value: number | null;
  interval?: readonly [low: number, high: number] | null;
  /** Which of the page's colours. */
  series?: number;
}

/** A name, and the bar below it. */
const ROW = 36;
/** Characters of a name above its bar; the table below has it whole. */
const NAME = 44;
const DIGITS = 46;

/** Bars from the left, each under its name and with its figure behind it; whiskers are 95% intervals. */
export function bars(title: string, given: readonly Bar[]): Promise<Markup> {
  const rows = given.map(({ name, value, interval, series = 0 }, row) => {
    return { name, value, series, row, at: value ?? 0, low: interval?.[0], high: interval?.[1] };
  });
  const sure = rows.filter(({ low }) => low !== undefined);
  const about = `${title}: ${given.map(({ name, value }) => `${shortened(name, 60)} ${scoreText(value)}`).join(', ')}.`;
  const least = rows.reduce((min, { at, low = 0 }) => Math.min(min, at, low), 0);
  return figure(title, about, (plot) => ({
    ...{ height: rows.length * ROW + 40, marginLeft: 14, marginRight: DIGITS, marginTop: 6 },
    x: { domain: [least, 1], label: null, ticks: 4, grid: true },
    y: { type: 'band', domain: rows.map(({ row }) => row), label: null, axis: null, padding: 0.1 },
    marks: [
      ...[...new Set(rows.map(({ series }) => series))].map((series) =>
        plot.barX(
          rows.filter((row) => row.series === series),
          { x: 'at', y: 'row', fill: colour(series), insetTop: 16 },
        ),
      ),
      plot.ruleY(sure, { x1: 'low', x2: 'high', y: 'row', dy: 8, stroke: 'var(--ink)', strokeWidth: 1.5 }),
      ...(['low', 'high'] as const).map((x) =>
        plot.tickX(sure, { x, y: 'row', stroke: 'var(--ink)', strokeWidth: 1.5, insetTop: 20, insetBottom: 4 }),
      ),
      plot.text(rows, {
        ...{ y: 'row', frameAnchor: 'left', textAnchor: 'start', dx: 2, dy: -8 },
        text: ({ name }) => shortened(name, NAME),
      }),
      plot.text(rows, {
        ...{ y: 'row', frameAnchor: 'right', textAnchor: 'start', dx: 6, dy: 8 },
        text: ({ value }) => scoreText(value),
      }),
      plot.ruleX([0], { stroke: 'var(--ink)' }),
    ],
  }));
}

/** A line through points; what has no value is left out. */
export interface Line {
  name: string;
  points: readonly { x: number; y: number | null }[];
}

const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

export interface Axes {
  x: string;
  y: string;
  /** Between 0 and 1, as scores are. */
  score?: boolean;
}

/** Lines that differ in colour and in dashes, each named where it ends; nothing where there is no point. */
export async function lines(title: string, given: readonly Line[], axes: Axes): Promise<Markup> {
  const named = given.map(({ name, points }) => ({ name, points: points.filter(isFinitePoint) }));
  const kept = named.filter(({ points }) => points.length > 0);
  if (kept.length === 0) return html``;
  const ends = kept.map(({ name, points }, i) => ({ name, i, ...points[points.length - 1] }));
  const about = `${title}: ${ends.map(({ name, x, y }) => `${shortened(name, 60)} ends at ${plain(y)}, ${axes.x} ${plain(x)}`).join('; ')}.`;
  const apart = kept.length > 1;
  return figure(title, about, (plot) => ({
    ...{ height: 220, marginLeft: 52, marginRight: apart ? 96 : 20, marginTop: 26 },
    x: { label: axes.x, labelAnchor: 'center', ticks: 5, tickFormat: axes.x === 'epoch' ? wholeText : plain },
    y: { label: axes.y, grid: true, ticks: 5, nice: true, tickFormat: plain, ...(axes.score && { domain: [0, 1] }) },
    marks: [
      ...kept.flatMap(({ points }, i) => [
        plot.lineY(points, { x: 'x', y: 'y', stroke: colour(i), strokeWidth: 2, strokeDasharray: dashes(i) }),
        ...(points.length <= 30 ? [plot.dot(points, { x: 'x', y: 'y', fill: colour(i), r: 3 })] : []),
      ]),
      ...(apart
        ? spread(ends, axes.score ? [0, 1] : extent(kept)).map((end) =>
            plot.text([end], {
              ...{ x: 'x', y: 'y', dx: 8, dy: end.shift, textAnchor: 'start', fill: colour(end.i) },
              text: ({ name }: { name: string }) => shortened(name, 13),
            }),
          )
        : []),
    ],
  }));
}

function isFinitePoint(point: { x: number; y: number | null }): point is { x: number; y: number } {
  return point.y !== null && Number.isFinite(point.y);
}

/** Lines of more than the page has colours differ in their dashes as well. */
function dashes(index: number): string {
  return DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length];
}

/** Pixels of a line of text, and of a figure between its margins. */
const LINE = 14;
const INSIDE = 160;

/** Names at the ends of lines, moved apart where their lines end side by side; none leaves the figure. */
function spread<End extends { y: number }>(ends: readonly End[], [low, high]: readonly [number, number]) {
  const ordered = [...ends].sort((a, b) => b.y - a.y);
  const own = ordered.map(({ y }) => (high === low ? INSIDE / 2 : (INSIDE * (high - y)) / (high - low)));
  const placed: number[] = [];
  for (const at of own) placed.push(Math.max(at, (placed.at(-1) ?? -LINE) + LINE));
  const over = Math.max(0, (placed.at(-1) ?? 0) - INSIDE);
  return ordered.map((end, i) => ({ ...end, shift: placed[i] - own[i] - over }));
}

function extent(lines: readonly { points: readonly { y: number }[] }[]): [number, number] {
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  const by = (of: (a: number, b: number) => number) => values.reduce((a, b) => of(a, b), values[0]);
  return [by(Math.min), by(Math.max)];
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Between two epochs there is nothing to name. */
function wholeText(value: number): string {
  return Number.isInteger(value) ? String(value) : '';
}

/** Lines of one name as their mean, at every x over those that have a value there: seeds of one method. */
export function meanLines(given: readonly Line[]): Line[] {
  const names = [...new Set(given.map(({ name }) => name))];
  return names.map((name) => {
    const points = given.filter((line) => line.name === name).flatMap((line) => line.points.filter(isFinitePoint));
    const places = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
    const meanAt = (x: number) => {
      const values = points.filter((point) => point.x === x);
      return values.reduce((sum, { y }) => sum + y, 0) / values.length;
    };
    return { name, points: places.map((x) => ({ x, y: meanAt(x) })) };
  });
}
