import { checkExportable, exportLayers } from '../../checkpoints/export-layers.js';
import { exportWeights, loadEnsemble } from '../../checkpoints/index.js';
import { chooseBackend } from '../../tfjs/index.js';
import { printResult } from '../options.js';

export interface ExportFlags {
  out: string;
  format: 'layers' | 'safetensors';
  json?: boolean;
}

/** `eat-dml export`: the networks of a run as one tfjs-layers model, for a browser, or as weights that PyTorch loads. */
export async function exportCommand(run: string, { out, format, json }: ExportFlags): Promise<void> {
  if (format === 'layers') await checkExportable(out);
  // Nothing is computed: the backend that is always there will do.
  await chooseBackend({ backend: 'cpu' });
  const ensemble = await loadEnsemble(run);
  const { inputShape, embedding } = ensemble;
  const members = ensemble.members.length;
  const result = { command: 'export', run, out, inputShape, embedding, members };
  try {
    if (format === 'safetensors') {
      const files = await exportWeights(ensemble, out);
      printResult(json, { ...result, files }, `${files.join(', ')}\nNext, in Python: safetensors.torch.load_file(...)`);
      return;
    }
    await exportLayers(ensemble, out);
  } finally {
    ensemble.dispose();
  }
  const shape = `images [n, ${inputShape.join(', ')}] in [0, 1] to unit rows of ${embedding} columns`;
  printResult(json, result, `${out}: ${shape}\nNext: tf.loadLayersModel('.../model.json').predict(images)`);
}
