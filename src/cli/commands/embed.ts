import { loadEnsemble } from '../../checkpoints/index.js';
import { PARTS } from '../../config/lists.js';
import { hasOption, loadModel, modelOf } from '../../config/make.js';
import { findRun } from '../../config/run-folder.js';
import { type DataSides, openData, type Source, type TransformOptions, writeNpy } from '../../data/index.js';
import { EatDmlError } from '../../errors.js';
import type { LongWork } from '../../long-work.js';
import { Ensemble, type ImageShape } from '../../models/index.js';
import { chooseBackend } from '../../tfjs/index.js';
import { type DataSpec, dataSpec } from '../data-spec.js';
import { checkTargets } from '../deliver.js';
import { interruptible } from '../interrupt.js';
import { embeddingModel, requireRunOrModel } from '../model-flags.js';
import { type ModelFlags, printResult } from '../options.js';
import { ProgressLine } from '../progress-line.js';
import { onAll, onRanks, type RankFlags, type Ranks, sharedBy } from '../ranks.js';

const SIDES = ['train', 'test', 'query', 'gallery'] as const;

export interface EmbedFlags extends ModelFlags, Pick<RankFlags, 'distributed'> {
  crop?: number;
  json?: boolean;
  data: string;
  out: string;
  side?: (typeof SIDES)[number];
  resize?: number;
  skipBroken?: number;
  batchSize?: number;
  backend?: 'auto';
}

/** `eat-dml embed`: embeddings and labels of a data set as .npy files, for whatever reads those; by a run, or by a network. */
export async function embedCommand(run: string | undefined, flags: EmbedFlags): Promise<void> {
  await onRanks(flags, async (ranks) => {
    const { json, data, out } = flags;
    const labelsPath = `${out.replace(/\.npy$/, '')}.labels.npy`;
    const { embeddings, labels } = await embedded(run, flags, ranks, [out, labelsPath]);
    if (!ranks.isFirst) return;
    const { rows, cols } = embeddings;
    await writeNpy(out, { shape: [rows, cols], data: embeddings.data });
    await writeNpy(labelsPath, { shape: [rows], data: labels });
    const result = {
      command: 'embed',
      ...(run === undefined ? { model: flags.model } : { run }),
      data,
      embeddings: out,
      labels: labelsPath,
      rows,
      columns: cols,
    };
    printResult(json, result, `${rows} x ${cols} in ${out}\nNext: npx eat-dml score ${out} ${labelsPath}`);
  });
}

/** Embeddings and labels; the first rank tells how far they are, and looks whether they can be written to `paths`. */
async function embedded(run: string | undefined, flags: EmbedFlags, ranks: Ranks, paths: string[]) {
  const { batchSize, backend = 'auto' } = flags;
  const { isFirst } = ranks;
  const line = isFirst ? new ProgressLine('embed') : undefined;
  const kept = `Nothing was written to ${paths.join(' and ')}. Begin again with the same command.`;
  const interrupted = { what: 'Embedding', kept };
  return interruptible(async (signal) => {
    const work = { signal, onProgress: line?.show };
    const { ensemble, source } = await onAll(ranks, async () => {
      if (isFirst) await checkTargets(...paths);
      await chooseBackend({ backend });
      return opened(run, flags, work);
    });
    try {
      line?.note(`${source.labels.length} images of ${source.name}`);
      const embeddings = await sharedBy(ranks)(ensemble).embed(source, { batchSize, ...work });
      return { embeddings, labels: source.labels };
    } finally {
      ensemble.dispose();
    }
  }, interrupted).finally(() => line?.clear());
}

interface Opened {
  ensemble: Ensemble;
  source: Source;
}

/** What embeds, and what is embedded: a run says the size of its images, a network takes those of the data. */
async function opened(run: string | undefined, flags: EmbedFlags, work: LongWork): Promise<Opened> {
  const { data, model, resize, crop = 224 } = flags;
  requireRunOrModel(run, model, 'embed with');
  if (run === undefined) {
    const config = embeddingModel(flags);
    await loadModel({ model: config });
    const spec = modelOf({ model: config });
    const source = await sourceFor([crop, crop, 3], dataSpec(data), { resize: resize ?? crop, crop }, flags, work);
    return { ensemble: new Ensemble([spec.build([...source.shape], 0)]), source };
  }
  const ensemble = await loadEnsemble(run);
  try {
    const transform = await transformOf(run, ensemble, flags);
    return { ensemble, source: await sourceFor(ensemble.inputShape, dataSpec(data), transform, flags, work) };
  } catch (error) {
    ensemble.dispose();
    throw error;
  }
}

/** One side of the data; without, all of an archive in its order, and of other sets what is not trained on. */
async function sourceFor(
  inputShape: ImageShape,
  { name, root }: DataSpec,
  transform: TransformOptions,
  { side, skipBroken }: Pick<EmbedFlags, 'side' | 'skipBroken'>,
  work: LongWork,
): Promise<Source> {
  const given = {
    ...{ root, transform, channels: inputShape[2] as 1 | 3, skipBroken },
    split: side === undefined && root !== undefined ? ('none' as const) : undefined,
  };
  // What the set has no option for is not said: images in memory are as they are.
  const taken = Object.entries(given).filter(
    ([key, value]) => value !== undefined && (key === 'skipBroken' || hasOption(PARTS.data as never, name, key)),
  );
  const sides: DataSides = await openData(name as 'folder', { ...Object.fromEntries(taken), ...work } as never);
  const source = sides[side ?? 'test'];
  if (source) return source;
  const there = Object.keys(sides).join(', ');
  throw new EatDmlError('ERR_ARGUMENT', `Expected a side that ${name} has, ${there}, for --side but received ${side}.`);
}

/** As the run looks at photographs, where it was trained on some; else no more is resized than the model needs. */
async function transformOf(run: string, { inputShape }: Ensemble, { resize }: EmbedFlags): Promise<TransformOptions> {
  const [crop] = inputShape;
  if (resize !== undefined) return { resize, crop };
  const recorded = await findRun(run).catch(() => undefined);
  const data = recorded?.data as { transform?: TransformOptions } | undefined;
  return data?.transform ?? { resize: crop, crop };
}
