import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type EvaluationManifest, type EvaluationReport, evaluate } from '../evaluation/index.js';
import { fileError } from '../files.js';
import { Ensemble } from '../models/index.js';
import { chooseBackend } from '../tfjs/index.js';
import type { EvaluateRunOptions } from './evaluate-run.js';
import { evaluateOptionsOf, loadModel, measuredData, modelOf } from './make.js';
import { requireDevice } from './require-device.js';
import type { Config } from './schema.js';

/**
 * Evaluates the network of a configuration, which no run made, on the test side of its data: with the weights of a file, or as
 * a module makes it. The manifest says that nothing is known of what it was trained on.
 */
export async function evaluateModel(
  config: Config,
  { shared = (ensemble) => ensemble, signal, onStart, onProgress, ...gathering }: Omit<EvaluateRunOptions, 'allowSeen'>,
): Promise<EvaluationReport> {
  requireDevice(config.device);
  const asked = evaluateOptionsOf(config);
  const backend = await chooseBackend({ backend: config.backend ?? 'auto' });
  await loadModel(config);
  const spec = modelOf({ model: config.model });
  const network = await networkOf(config.model!);
  const { test, gallery } = await measuredData(config, { signal, onProgress });
  const ensemble = new Ensemble([spec.build([...test.shape], 0)]);
  try {
    onStart?.({ data: test, backend });
    const options = { ...asked, gallery, onProgress, signal, ...gathering };
    const report = await evaluate(shared(ensemble), test, options);
    return { ...report, manifest: { ...report.manifest, run: null, trainedOn: null, network } };
  } finally {
    ensemble.dispose();
  }
}

async function networkOf(model: NonNullable<Config['model']>): Promise<EvaluationManifest['network']> {
  const { kind, path, weights = path } = model as { kind: string; path?: string; weights?: string };
  const bytes = await readFile(weights!).catch((error) => {
    throw fileError('read', weights!, error);
  });
  return { kind, file: weights!, sha256: createHash('sha256').update(bytes).digest('hex') };
}
