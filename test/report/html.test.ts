import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { describe, expect, test } from 'vitest';
import type { EvaluationReport } from '../../src/evaluation/index.js';
import { type PageRun, pairedRows, reportHtml } from '../../src/report/index.js';
import { estimate } from '../../src/report/statistics.js';
import { gatheredOf } from './gathered.js';
import { fullReport, reportOf } from './reports.js';

type Element = DefaultTreeAdapterTypes.Element;

/** Every element of a page, and what its parser had to complain about. */
function parsed(page: string): { elements: Element[]; errors: string[] } {
  const errors: string[] = [];
  const document = parse(page, { onParseError: ({ code }) => errors.push(code) });
  const elements: Element[] = [];
  const walk = (node: DefaultTreeAdapterTypes.Node) => {
    if ('attrs' in node) elements.push(node);
    if ('childNodes' in node) for (const child of node.childNodes) walk(child);
  };
  walk(document);
  return { elements, errors };
}

const attribute = ({ attrs }: Element, name: string) => attrs.find((attr) => attr.name === name)?.value;

/** What is to be read of an element. */
function textOf(node: DefaultTreeAdapterTypes.Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

const byId = (page: string, id: string) => parsed(page).elements.find((element) => attribute(element, 'id') === id);
const jsonOf = (page: string) => JSON.parse(textOf(byId(page, 'report')!));

const history = {
  losses: [3, 2, 1],
  learningRates: [0.01, 0.001],
  validations: [{ epoch: 2, scores: { nmi: 0.4, attackedNmi: 0.2 } }],
};
const full: PageRun = {
  name: 'eat',
  report: fullReport(),
  history,
  config: { seed: 1 },
  command: 'eat-dml evaluate runs/eat',
};

/** Three methods, two seeds each. */
const several: PageRun[] = ['eat', 'at', 'standard'].flatMap((name, i) =>
  [1, 2].map((seed) => {
    const report = reportOf(0.9, { pgd: 0.5 - 0.1 * i + 0.02 * seed * (i + 1) });
    return { name, report: { ...report, manifest: { ...report.manifest, seed } }, history };
  }),
);

describe.each<[string, PageRun[]]>([
  ['one run', [full]],
  ['one run of a bare report', [{ name: 'at', report: reportOf(0.5, { pgd: -0.1 }) }]],
  ['several runs', [full, { ...full, name: 'at' }]],
])('the page of %s', (_, runs) => {
  test('is well formed, and fetches nothing', async () => {
    const { elements, errors } = parsed(await reportHtml(runs));
    expect(errors).toEqual([]);
    const links = elements.flatMap(({ attrs }) =>
      attrs.filter(({ name }) => /^(src|href|action|srcset|poster)$/.test(name)),
    );
    expect(links.filter(({ value }) => !/^(#|data:)/.test(value))).toEqual([]);
    const styles = elements.filter(({ tagName }) => tagName === 'style').map(textOf);
    expect(styles.join('')).not.toMatch(/url\(|@import/);
    const ids = elements.flatMap((element) => attribute(element, 'id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('holds the reports themselves', async () => {
    const { runs: kept } = jsonOf(await reportHtml(runs));
    expect(kept.map(({ report }: PageRun) => report)).toEqual(
      JSON.parse(JSON.stringify(runs.map(({ report }) => report))),
    );
  });

  test('has no hole', async () => {
    const page = (await reportHtml(runs)).replace(/<script.*?<\/script>/gs, '').replace(/<style.*?<\/style>/gs, '');
    expect(page).not.toMatch(/NaN|undefined|null|\[object|Infinity/);
  });
});

test('checks come before any figure, and failed ones stand out', async () => {
  const checks: EvaluationReport['checks'] = [
    { name: 'gradients', passed: false, detail: 'there <are> none' },
    { name: 'collapse', passed: null, detail: 'not made: few images' },
  ];
  const page = await reportHtml([{ name: 'at', report: { ...reportOf(0.5, { pgd: 0.4 }), checks } }]);
  const section = textOf(byId(page, 'checks')!);
  expect(section).toContain('DO NOT TRUST THESE FIGURES');
  expect(section).toContain('1 of 2 sanity checks failed: gradients');
  expect(section).toMatch(/gradients✗ failedthere <are> none\s+collapse○ not madenot made: few images/);
  expect(page.indexOf('id="checks"')).toBeLessThan(page.indexOf('<svg'));
  expect(textOf(parsed(page).elements.find(({ tagName }) => tagName === 'header')!)).toContain('DO NOT TRUST');
  expect(await reportHtml([full])).not.toContain('DO NOT TRUST');
});

test('a run has its worst case with interval and attack, its curve, members, training, classes and command', async () => {
  const page = await reportHtml([full]);
  const section = (id: string) => textOf(byId(page, id)!).replace(/\s+/g, ' ');
  expect(section('worst')).toContain('NMI0.200 95%: 0.150 to 0.260clean 0.900by pgd');
  expect(section('attacks')).toMatch(/pgd▼ 0\.200/);
  expect(section('robustness')).toContain('0.050.550 (pgd)');
  expect(section('robustness')).toContain('200.200 (pgd)');
  expect(section('robustness')).toMatch(/NMI against steps.*NMI against steps, attack by attack/);
  expect(section('training')).toMatch(/Training loss.*Learning rate.*Validation.*Validation under attack/);
  expect(section('members')).toMatch(/on member 10\.5000\.610 on ensemble0\.620n\/a/);
  expect(section('members')).toContain('pgd10.0%40.3000.3000.3000.400');
  expect(section('samples')).toMatch(/Survive every attack.*nearest class mean0\.2500\.500/);
  expect(section('manifest')).toContain('eat-dml evaluate runs/eat');
  expect(section('manifest')).toContain('dataHash0123456789abcdef');
});

test('a bar is as long as its score, and none is drawn below zero’s other side', async () => {
  const page = await reportHtml([{ name: 'at', report: reportOf(0.8, { pgd: 0.2 }) }]);
  const svg = parsed(page).elements.find((element) =>
    attribute(element, 'aria-label')?.startsWith('NMI: clean 0.800'),
  )!;
  const widths = parsed(page)
    .elements.filter(({ tagName, parentNode }) => tagName === 'rect' && parentNode && isWithin(parentNode, svg))
    .map((rect) => Number(attribute(rect, 'width')));
  expect(widths).toHaveLength(2);
  expect(widths[0] / widths[1]).toBeCloseTo(4, 6);
});

/** parse5 moves nothing: an element is within another where its parents lead to one with the same label. */
function isWithin(node: DefaultTreeAdapterTypes.Node, other: Element): boolean {
  const label = attribute(other, 'aria-label');
  for (let at: DefaultTreeAdapterTypes.Node | null = node; at; at = 'parentNode' in at ? at.parentNode : null) {
    if ('attrs' in at && attribute(at, 'aria-label') === label) return true;
  }
  return false;
}

test('several runs are means over seeds, and paired as tables pair them', async () => {
  const page = await reportHtml(several);
  const section = textOf(byId(page, 'compare')!).replace(/\s+/g, ' ');
  const worst = (name: string) =>
    several.filter((run) => run.name === name).map(({ report }) => report.worst.scores.nmi!);
  const { mean, high } = estimate(worst('eat'));
  expect(section).toContain(`eat0.900 ± 0.000${mean.toFixed(3)} ± ${(high - mean).toFixed(3)}`);
  const results = several.map(({ name, report }) => {
    const ran = { epochs: 3, gradientEvaluations: 1, seconds: 1 };
    return { label: name, seed: report.manifest.seed, budget: 'epochs', history: ran, report };
  });
  for (const { label, differences, seeds } of pairedRows(results, 'eat')) {
    const of = (value: (typeof differences)['worstNmi']) =>
      `+${value!.mean.toFixed(3)} ± ${(value!.high - value!.mean).toFixed(3)}`;
    expect(section).toContain(`${label}${of(differences.worstNmi)}${of(differences.worstRecallAt1)}`);
    expect(seeds).toBe(2);
  }
});

describe('hostile names', () => {
  test.each([
    ['the end of a script', '</script><script>alert(1)</script>'],
    ['the end of an attribute', '"><img src=x onerror=alert(1)>'],
    ['entities and a comment', "'&amp;<!--"],
    ['emoji of many units', '👩‍👩‍👧‍👦'.repeat(50)],
    ['500 letters', 'x'.repeat(500)],
  ])('%s is text wherever it stands', async (_, name) => {
    const plain = fullReport();
    const attacks = plain.attacks.map((attack, i) => (i === 0 ? { ...attack, name, objective: name } : attack));
    const by = { ...plain.worst.by, nmi: name };
    const report = {
      ...plain,
      manifest: { ...plain.manifest, dataset: name },
      attacks,
      worst: { ...plain.worst, by },
      checks: [{ ...plain.checks[0], detail: name }],
      transfer: { ...plain.transfer!, attack: name },
    };
    for (const runs of [
      [{ ...full, name, report, command: name, config: { [name]: name } }],
      [full, { ...full, name, report }],
    ]) {
      const page = await reportHtml(runs, { title: name });
      const { elements, errors } = parsed(page);
      expect(errors).toEqual([]);
      expect(elements.filter(({ tagName }) => tagName === 'script')).toHaveLength(2);
      expect(elements.filter(({ tagName }) => tagName === 'img')).toEqual([]);
      expect(jsonOf(page).runs.at(-1).report).toEqual(JSON.parse(JSON.stringify(report)));
      expect(textOf(elements.find(({ tagName }) => tagName === 'title')!)).toBe(name);
    }
  });
});

test.each([
  ['markup', '<b>x</b>'],
  ['quotes', `"><img src=x onerror='alert(1)'>`],
  ['500 letters', 'x'.repeat(500)],
])('a class and its images with %s in their names are text wherever they stand', async (_, name) => {
  const gathered = gatheredOf(12, 3);
  const names = Array.from(gathered.samples, (sample) => `${name}/${sample}.png`);
  const found = { label: 1, name: names[0], right: true, image: gathered.pictures[0].clean };
  const pictures = gathered.pictures.map((one) => ({
    ...one,
    name: names[0],
    found: { clean: found, attacked: found },
  }));
  const report = { ...fullReport(), classNames: { 1: name, 3: name } };
  const page = await reportHtml([{ ...full, report, gathered: { ...gathered, names, pictures } }]);
  const { elements, errors } = parsed(page);
  expect(errors).toEqual([]);
  expect(elements.filter(({ tagName }) => tagName === 'b')).toHaveLength(1 + 4);
  expect(elements.filter((element) => attribute(element, 'src') === 'x')).toEqual([]);
  const at = (id: string) => textOf(byId(page, id)!).replace(/\s+/g, ' ');
  for (const id of ['map', 'clusters', 'samples']) expect(at(id)).toContain(id === 'map' ? name.slice(0, 39) : name);
  expect(at('pictures')).toContain(`Image 0, ${name} ${name}/0.png`);
  expect(at('pictures')).toContain(`finds, clean: ✓ ${name}`);
  const titles = elements.flatMap((element) => attribute(element, 'title') ?? []);
  expect(titles).toEqual(expect.arrayContaining([name, `${name} (class 1)`, `${name}/0.png`, `${name}: ${names[0]}`]));
  // Without a name a class has its number.
  expect(at('map')).toContain('class 0');
  expect(JSON.parse(textOf(byId(page, 'map-data')!))).toMatchObject({ names, classNames: { 1: name } });
});

test.each<[string, unknown, unknown, string]>([
  ['no runs', [], undefined, 'Expected at least one run for runs but received'],
  ['a run without a name', [{ report: reportOf(0.5, {}) }], undefined, 'Expected a name for runs[0].name'],
  ['a report that is none', [{ name: 'at', report: {} }], undefined, 'Expected'],
  ['an option that there is not', [full], { titel: 'x' }, 'did you mean title?'],
])('%s is one sentence', async (_, runs, options, message) => {
  await expect(reportHtml(runs as never, options as never)).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringContaining(message) }),
  );
});
