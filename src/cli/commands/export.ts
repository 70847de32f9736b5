import { checkExportable, exportLayers } from '../../checkpoints/export-layers.js';
import { loadEnsemble } from '../../checkpoints/index.js';
import { chooseBackend } from '../../tfjs/index.js';
import { printResult } from '../options.js';

export interface ExportFlags {
  out: string;
  json?: boolean;
}

/** `eat-dml export`: the networks of a run as one tfjs-layers model, for a browser. */
export async function exportCommand(run: string, { out, json }: ExportFlags): Promise<void> {
  await checkExportable(out);
  // Nothing is computed: the backend that is always there will do.
  await chooseBackend({ backend: 'cpu' });
  const ensemble = await loadEnsemble(run);
  const { inputShape, embedding } = ensemble;
  const members = ensemble.members.length;
  try {
    await exportLayers(ensemble, out);
  } finally {
    ensemble.dispose();
  }
  const result = { command: 'export', run, out, inputShape, embedding, members };
  const shape = `images [n, ${inputShape.join(', ')}] in [0, 1] to unit rows of ${embedding} columns`;
  printResult(json, result, `${out}: ${shape}\nNext: tf.loadLayersModel('.../model.json').predict(images)`);
}
