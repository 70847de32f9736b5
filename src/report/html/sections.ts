import { radiusCurve, stepCurve } from '../curves.js';
import type { Section } from './frame.js';
import type { Markup } from './markup.js';
import { html } from './markup.js';
import type { PageRun } from './page-run.js';
import { attacksSection } from './sections/attacks.js';
import { checksSection, titleOf } from './sections/checks.js';
import { clustersSection } from './sections/clusters.js';
import { compareSection, everyRun } from './sections/compare.js';
import { manifestSection } from './sections/manifest.js';
import { mapSection } from './sections/map.js';
import { membersSection } from './sections/members.js';
import { picturesSection } from './sections/pictures.js';
import { curveChart, robustnessSection } from './sections/robustness.js';
import { samplesSection } from './sections/samples.js';
import { trainingSection } from './sections/training.js';
import { worstSection } from './sections/worst.js';

type Maybe = [id: string, title: string, content: Markup | undefined];

/** One run in full. What its report does not hold is left out. */
export async function sectionsOfRun(run: PageRun): Promise<Section[]> {
  const { report, gathered } = run;
  const { classNames } = report;
  return there([
    ['checks', 'Sanity checks', checksSection([run])],
    ['worst', 'Worst case', worstSection(report)],
    ['attacks', 'Every attack', await attacksSection(report)],
    ['robustness', 'Robustness', await robustnessSection(report)],
    ['training', 'Training', await trainingSection([run])],
    ['map', 'Map of embeddings', gathered && (await mapSection(gathered, report.manifest.seed, classNames))],
    ['clusters', 'Clusters by class', gathered && clustersSection(gathered, classNames)],
    ['pictures', 'Images', gathered && (await picturesSection(gathered, classNames))],
    ['members', 'Members and spill-over', membersSection(report)],
    ['samples', 'Samples and classes', await samplesSection(report)],
    ['manifest', 'Manifest', manifestSection(run)],
  ]);
}

/** Any number of runs on one page: side by side first, then each. */
export async function sectionsOfRuns(runs: readonly PageRun[]): Promise<Section[]> {
  return there([
    ['checks', 'Sanity checks', checksSection(runs)],
    ['compare', 'Side by side', await compareSection(runs)],
    ['robustness', 'Robustness', await curvesOf(runs)],
    ['training', 'Training', await trainingSection(runs)],
    ['runs', 'Every run', everyRun(runs, (run) => manifestSection(run, titleOf(run)))],
  ]);
}

async function curvesOf(runs: readonly PageRun[]): Promise<Markup | undefined> {
  const charts = [radiusCurve, stepCurve].flatMap((curveOf) => {
    const curves = runs.flatMap(({ name, report }) => {
      const curve = curveOf(report);
      return curve ? [{ name, curve }] : [];
    });
    return curves.length > 0 ? [curveChart('nmi', curves), curveChart('recallAt1', curves)] : [];
  });
  return charts.length > 0 ? html`<div class="charts">${await Promise.all(charts)}</div>` : undefined;
}

function there(sections: readonly Maybe[]): Section[] {
  return sections.flatMap(([id, title, content]) => (content ? [{ id, title, content }] : []));
}
