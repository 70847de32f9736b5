import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '#tf';
import { EatDmlError, invalid } from '../errors.js';
import { fileError, makeFolder } from '../files.js';
import { Ensemble } from '../models/index.js';
import { toLayersModel } from '../models/tfjs-layers.js';
import { path as folder, parse } from '../options.js';

/** The files of an exported model, as tf.loadLayersModel reads them; model.json last, so that it is never there alone. */
const [WEIGHTS, MODEL] = ['weights.bin', 'model.json'];

/**
 * Writes an ensemble into the folder `dir` (made when missing) as one tfjs-layers model, model.json and weights.bin, that tfjs
 * alone loads, in a browser too: from images [n, h, w, c] in [0, 1] to the ensemble's embeddings.
 *
 * @throws EatDmlError ERR_PATH where such a file is there, ERR_SYSTEM, ERR_ARGUMENT where a member is not described by layers.
 *
 * @example
 * ```ts
 * import { Ensemble, exportLayers, mobilenetV2 } from 'eat-dml';
 *
 * const ensemble = new Ensemble([mobilenetV2({ dimension: 64 }).build([32, 32, 3], 1)]);
 * await exportLayers(ensemble, 'for-browsers'); // for-browsers/model.json and weights.bin
 * ```
 */
export async function exportLayers(ensemble: Ensemble, dir: string): Promise<void> {
  if (!(ensemble instanceof Ensemble)) throw invalid('ensemble', 'an Ensemble', ensemble);
  parse(folder, dir, 'dir');
  await checkExportable(dir);
  const artifacts = await artifactsOf(ensemble);
  const { modelTopology, weightSpecs, weightData, format, generatedBy, convertedBy, userDefinedMetadata } = artifacts;
  const weightsManifest = [{ paths: [WEIGHTS], weights: weightSpecs }];
  const json = { modelTopology, format, generatedBy, convertedBy, weightsManifest, userDefinedMetadata };
  const scratch = join(dir, `.eat-dml-export-${process.pid}`);
  try {
    makeFolder(dir);
    await mkdir(scratch);
    await writeFile(join(scratch, WEIGHTS), new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)));
    await writeFile(join(scratch, MODEL), JSON.stringify(json));
    for (const name of [WEIGHTS, MODEL]) await rename(join(scratch, name), join(dir, name));
  } catch (error) {
    throw fileError('export a model to', dir, error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Throws where an export would go over a file of those names. */
export async function checkExportable(dir: string, names: readonly string[] = [WEIGHTS, MODEL]): Promise<void> {
  for (const name of names) {
    const there = await access(join(dir, name)).then(
      () => true,
      () => false,
    );
    if (!there) continue;
    const hint = 'Remove it, or name another folder.';
    throw new EatDmlError('ERR_PATH', `Expected no ${name} in ${dir} for an export but found one.`, { hint });
  }
}

async function artifactsOf({ members, inputShape, embedding }: Ensemble): Promise<tf.io.ModelArtifacts> {
  const layers = toLayersModel(members);
  try {
    layers.setUserDefinedMetadata({ images: inputShape, pixels: [0, 1], embedding, members: members.length });
    let artifacts: tf.io.ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    await layers.save(handler);
    return artifacts!;
  } finally {
    layers.dispose();
  }
}
