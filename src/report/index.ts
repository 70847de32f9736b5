/** Evaluations as text, as plain values for JSON, and as a page. */
export { type Comparison, compare, type MethodResult } from './comparison.js';
export { reportHtml } from './html/page.js';
export type { PageHistory, PageOptions, PageRun } from './html/page-run.js';
export { type PairedRow, pairedMarkdown, pairedRows } from './paired.js';
export { parseRunResult } from './run-result.js';
export type { Estimate } from './statistics.js';
export type { Hyperparameters, PngImage } from './summaries.js';
export { type RunResult, type TableColumn, type TableRow, tableMarkdown, tableRows } from './table.js';
export { tablePicture } from './table-picture.js';
export { type EventFile, openEventFile, type ProjectorPoints, writeProjector } from './tensorboard.js';
export { comparisonText, manifestText, reportText } from './text.js';
