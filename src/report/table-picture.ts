import { checkTableRows } from './checks.js';
import { html } from './html/markup.js';
import { SvgDocument, svgText } from './html/svg-document.js';
import { shortened } from './shortened.js';
import { budgetsOf, type TableRow } from './table.js';

/** Pixels. */
const WIDTH = 760;
const ROW = 22;
const CHARACTER = 7;
/** Characters of a method's name; the table has it whole. */
const NAME = 30;

/** Both panels: what of a row is filled in, and what is the clean figure beside it. */
const PANELS = [
  { title: 'worst-case NMI', worst: 'worstNmi', clean: 'cleanNmi' },
  { title: 'worst-case Recall@1', worst: 'worstRecallAt1', clean: 'cleanRecallAt1' },
] as const;

interface Dot {
  panel: string;
  method: string;
  worst: number;
  clean: number | undefined;
  low: number;
  high: number;
}

/**
 * Rows of a table as a picture that stands by itself, SVG: for each method worst-case NMI and Recall@1 as dots with their 95% intervals, and
 * clean figures as rings; one picture above the other for each budget that has several methods. Figures that are not defined are left out.
 *
 * @throws EatDmlError ERR_ARGUMENT for rows that `tableRows` would not give.
 */
export async function tablePicture(rows: readonly TableRow[]): Promise<string> {
  checkTableRows(rows, ['cleanNmi', 'cleanRecallAt1', 'worstNmi', 'worstRecallAt1']);
  const budgets = compared(rows);
  const drawn: string[] = [];
  let height = 0;
  for (const budget of budgets) {
    const own = rows.filter((row) => row.budget === budget);
    const part = await panels(own, budgets.length > 1 ? `at equal ${budget}` : '');
    drawn.push(part.text.replace('<svg', `<svg y="${height}"`));
    height += part.height;
  }
  const methods = new Set(rows.filter(({ budget }) => budgets.includes(budget)).map(({ label }) => label));
  const about = `Worst-case NMI and Recall@1 of ${[...methods].join(', ')}, with 95% intervals.`;
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

async function panels(rows: readonly TableRow[], caption: string): Promise<{ text: string; height: number }> {
  const plot = await import('@observablehq/plot');
  const dots = PANELS.flatMap((panel) => rows.flatMap((row) => dotOf(row, panel)));
  const methods = rows.map(nameOf);
  const height = rows.length * ROW + 70;
  const drawn = plot.plot({
    ...{ width: WIDTH, height, document: new SvgDocument() as never, style: { fontSize: '12px' } },
    ...{ marginTop: 36, marginBottom: 34, marginRight: 16 },
    marginLeft: methods.reduce((most, { length }) => Math.max(most, length), 0) * CHARACTER + 16,
    x: {
      domain: [0, 1],
      ticks: 5,
      grid: true,
      labelArrow: 'none',
      label: caption ? `${caption}; rings: clean` : 'rings: clean',
    },
    y: { type: 'point', domain: methods, label: null, padding: 0.6 },
    fx: { domain: PANELS.map(({ title }) => title), label: null, padding: 0.12 },
    marks: [
      plot.ruleY(dots, { fx: 'panel', y: 'method', x1: 'low', x2: 'high', stroke: 'var(--ink)', strokeWidth: 1.5 }),
      plot.dot(
        dots.filter(({ clean }) => clean !== undefined),
        { fx: 'panel', y: 'method', x: 'clean', r: 3.5, stroke: 'var(--ink)', strokeOpacity: 0.6 },
      ),
      plot.dot(dots, { fx: 'panel', y: 'method', x: 'worst', r: 4.5, fill: 'var(--dot)' }),
    ],
  });
  return { text: svgText(drawn), height };
}

/** Intervals end where the figures do, at 0 and 1; one seed has none. */
function dotOf({ values, ...row }: TableRow, { title, worst, clean }: (typeof PANELS)[number]): Dot[] {
  const estimate = values[worst];
  if (estimate === null) return [];
  const within = (value: number) => Math.min(1, Math.max(0, value));
  const [low, high] = estimate.n > 1 ? [estimate.low, estimate.high] : [estimate.mean, estimate.mean];
  return [
    {
      ...{ panel: title, method: nameOf(row), worst: within(estimate.mean), clean: values[clean]?.mean },
      ...{ low: within(low), high: within(high) },
    },
  ];
}

function nameOf({ label, epochs }: Pick<TableRow, 'label' | 'epochs'>): string {
  return `${shortened(label, NAME)}, ${epochs} epochs`;
}
