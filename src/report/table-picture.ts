import { invalid } from '../errors.js';
import { checkTableRows } from './checks.js';
import { html } from './html/markup.js';
import { SvgDocument, svgText } from './html/svg-document.js';
import { shortened } from './shortened.js';
import { budgetsOf, type TableRow } from './table.js';

/** Pixels. */
const WIDTH = 760;
const ROW = 22;
const CHARACTER = 6;
/** Characters of a method's name; the table has it whole. */
const NAME = 30;

/** Both panels: what of a row is filled in, and what is the clean figure beside it. */
const PANELS = [
  { title: 'worst-case NMI', worst: 'worstNmi', clean: 'cleanNmi' },
  { title: 'worst-case Recall@1', worst: 'worstRecallAt1', clean: 'cleanRecallAt1' },
] as const;

/**
 * Rows of a table as a picture that stands by itself, SVG: for each method worst-case NMI and Recall@1 as dots with their 95% intervals, and
 * clean figures as rings; one picture above the other for each budget that has several methods, or for each where none has. Figures that are
 * not defined are left out. Names say whose sanity checks failed.
 *
 * @throws EatDmlError ERR_ARGUMENT for rows that `tableRows` would not give, and for none.
 */
export async function tablePicture(rows: readonly TableRow[]): Promise<string> {
  checkTableRows(rows, ['cleanNmi', 'cleanRecallAt1', 'worstNmi', 'worstRecallAt1']);
  if (rows.length === 0) throw invalid('rows', 'at least one row', rows);
  const budgets = compared(rows);
  const left = rows.reduce((most, row) => Math.max(most, nameOf(row).length), 0) * CHARACTER + 16;
  const drawn: string[] = [];
  let height = 0;
  for (const budget of budgets) {
    const own = rows.filter((row) => row.budget === budget);
    const part = await panels(own, { left, caption: budgets.length > 1 ? `at equal ${budget}; ` : '' });
    drawn.push(part.text.replace('<svg', `<svg y="${height}"`));
    height += part.height;
  }
  const methods = new Set(rows.filter(({ budget }) => budgets.includes(budget)).map(nameOf));
  const about = `Worst-case NMI and Recall@1, with 95% intervals where there are several seeds, of ${[...methods].join('; ')}.`;
  const head = html`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${about}">`;
  return `${head.text}${STYLE}${drawn.join('')}</svg>\n`;
}

/** Budgets that have methods to compare, or all where none has. */
function compared(rows: readonly TableRow[]): string[] {
  const budgets = budgetsOf(rows);
  const several = budgets.filter((budget) => rows.filter((row) => row.budget === budget).length > 1);
  return several.length > 0 ? several : budgets;
}

/** Legible on light and on dark pages. */
const STYLE =
  '<style>svg{--ink:#1f2328;--dot:#0969da;color:var(--ink);font-family:system-ui,sans-serif}' +
  '@media(prefers-color-scheme:dark){svg{--ink:#e6edf3;--dot:#58a6ff}}</style>';

/** `left`: pixels of the names. */
async function panels(
  rows: readonly TableRow[],
  { left, caption }: { left: number; caption: string },
): Promise<{ text: string; height: number }> {
  const plot = await import('@observablehq/plot');
  const names = rows.map(nameOf);
  const [worst, clean] = (['worst', 'clean'] as const).map((of) => dotsOf(rows, of));
  const height = rows.length * ROW + 70;
  const drawn = plot.plot({
    ...{ width: WIDTH, height, document: new SvgDocument() as never },
    ...{ marginTop: 36, marginBottom: 34, marginRight: 16, marginLeft: left },
    x: { domain: [0, 1], ticks: 5, grid: true, labelArrow: 'none', label: `${caption}rings: clean` },
    y: { type: 'point', domain: [...names.keys()], tickFormat: (i: number) => names[i], label: null, padding: 0.6 },
    fx: { domain: PANELS.map(({ title }) => title), label: null, padding: 0.12 },
    marks: [
      plot.ruleY(worst, { fx: 'panel', y: 'row', x1: 'low', x2: 'high', stroke: 'var(--ink)', strokeWidth: 1.5 }),
      plot.dot(clean, { fx: 'panel', y: 'row', x: 'at', r: 3.5, stroke: 'var(--ink)', strokeOpacity: 0.6 }),
      plot.dot(worst, { fx: 'panel', y: 'row', x: 'at', r: 4.5, fill: 'var(--dot)' }),
    ],
  });
  return { text: svgText(drawn), height };
}

interface Dot {
  panel: string;
  row: number;
  at: number;
  low: number;
  high: number;
}

/** Figures that are defined. Intervals end where the figures do, at 0 and 1; one seed has none. */
function dotsOf(rows: readonly TableRow[], of: 'worst' | 'clean'): Dot[] {
  const within = (value: number) => Math.min(1, Math.max(0, value));
  return PANELS.flatMap(({ title: panel, ...columns }) =>
    rows.flatMap(({ values }, row) => {
      const estimate = values[columns[of]];
      if (estimate === null || estimate.mean === null) return [];
      const { mean, n } = estimate;
      const [low, high] = n > 1 ? [estimate.low, estimate.high] : [mean, mean];
      return [{ panel, row, at: within(mean), low: within(low), high: within(high) }];
    }),
  );
}

/** Without what a picture's text may not hold. */
function nameOf({ label, epochs, failedChecks }: TableRow): string {
  const shown = shortened(label, NAME).replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD');
  return `${shown}, ${epochs} epochs${failedChecks.length > 0 ? ', CHECKS FAILED' : ''}`;
}
