import { type Line, lines } from './charts.js';
import { framed, inMain, type Section } from './frame.js';
import { html, jsonScript, type Markup } from './markup.js';
import type { PageHistory } from './page-run.js';
import { validationCharts } from './sections/training.js';
import { table } from './table.js';

/** A training that is under way, as it was seen last. */
export interface LiveTraining {
  /** Its method. */
  name: string;
  /** Where it is saved. */
  folder: string;
  /** What it does: training, or what goes before. */
  phase: string;
  progress?: {
    epoch: number;
    epochs: number;
    step: number;
    steps: number;
    imagesPerSecond: number;
    etaSeconds: number;
  };
  /** By step, thinned out. */
  losses: Line['points'];
  learningRates: Line['points'];
  validations: NonNullable<PageHistory['validations']>;
  /** How it ended, once it has. */
  ended?: string;
}

/** What changes of the page as training goes on. */
export async function liveMain(training: LiveTraining): Promise<string> {
  return inMain(await sectionsOf(training), jsonOf(training)).text;
}

/** The page of a training that is under way: its script asks the server that it came from for what is new. */
export async function livePage(training: LiveTraining, version: number): Promise<string> {
  const about = html`<p class="about"><b>${training.name}</b>, as it trains into ${training.folder}</p>`;
  const sections = await sectionsOf(training);
  return framed({ title: `Training ${training.name}`, about, sections, json: jsonOf(training), version });
}

async function sectionsOf(training: LiveTraining): Promise<Section[]> {
  const { losses, learningRates, validations, ended, phase } = training;
  const charts = [
    lines('Training loss', [{ name: 'loss', points: losses }], { x: 'step', y: 'loss' }),
    lines('Learning rate', [{ name: 'rate', points: learningRates }], { x: 'step', y: 'rate' }),
    ...validationCharts({ validations }),
  ];
  const state = html`<p class="good" id="live">${ended ?? phase}</p>`;
  return [
    { id: 'progress', title: 'Progress', content: html`${state}${progressTable(training)}` },
    { id: 'training', title: 'Training', content: html`<div class="charts">${await Promise.all(charts)}</div>` },
  ];
}

function jsonOf(training: LiveTraining): Markup {
  return jsonScript('report', { command: 'watch', ...training });
}

function progressTable({ progress }: LiveTraining): Markup {
  const rows = progress && [
    ['epoch', `${Math.min(progress.epoch + 1, progress.epochs)} of ${progress.epochs}`],
    ['step', `${progress.step} of ${progress.steps}`],
    ['images per second', progress.imagesPerSecond.toFixed(0)],
    ['seconds left, about', Math.round(progress.etaSeconds)],
  ];
  return rows
    ? table(
        'How far it is',
        [
          { title: 'what', text: true },
          { title: 'now', text: true },
        ],
        rows,
      )
    : html``;
}
