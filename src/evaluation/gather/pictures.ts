import type { Source } from '../../data/index.js';
import type { Matrix } from '../../kernels/index.js';
import type { FoundImage, GatheredSide, Picture } from './gathered.js';
import type { Caught, GathererRun } from './gatherer.js';
import { imageOf, perturbationOf, pixelsOf } from './pixels.js';

/**
 * So many images before and after an attack, of those whose attacked images were kept: half of them where the embedding moved most,
 * half about the middle.
 */
export async function picturesOf(
  run: GathererRun,
  clean: GatheredSide,
  attacked: GatheredSide,
  caught: Caught,
  count: number,
): Promise<Picture[]> {
  const shifts = [...caught.keys()].map((sample) => {
    return { sample, shift: 1 - cosine(clean.embeddings, sample, attacked.embeddings, sample) };
  });
  shifts.sort((a, b) => b.shift - a.shift || a.sample - b.sample);
  const half = Math.min(count / 2, Math.floor(shifts.length / 2));
  const middle = Math.max(half, Math.floor((shifts.length - half) / 2));
  const chosen = [
    ...shifts.slice(0, half).map((one) => ({ ...one, rank: 'worst' as const })),
    ...shifts.slice(middle, middle + half).map((one) => ({ ...one, rank: 'median' as const })),
  ];
  const pictures: Picture[] = [];
  for (const { sample, shift, rank } of chosen) {
    const { values, pixels } = await imageOf(run.data, sample, run.signal);
    const after = caught.get(sample)!;
    pictures.push({
      ...{ sample, ...nameIn(run.data, sample), label: run.data.labels[sample], rank, shift, clean: pixels },
      attacked: await pixelsOf(after, run.data.shape),
      ...(await perturbationOf(values, after, run.data.shape)),
      clusters: { clean: clean.clusters[sample], attacked: attacked.clusters[sample] },
      found: {
        clean: await foundWith(run, clean.embeddings, sample),
        attacked: await foundWith(run, attacked.embeddings, sample),
      },
    });
  }
  return pictures;
}

/** What a row is called, where the data have names. */
function nameIn({ names }: Source, row: number): { name?: string } {
  return names ? { name: names[row] } : {};
}

/** The nearest clean image to a query; not its own, where the set is its own gallery. */
async function foundWith(run: GathererRun, queries: Matrix, sample: number): Promise<FoundImage> {
  const other = run.clean.otherGallery();
  const { embeddings, labels } = other ?? run.clean;
  let [best, most] = [-1, -Infinity];
  for (let row = 0; row < embeddings.rows; row++) {
    if (!other && row === sample) continue;
    const near = cosine(queries, sample, embeddings, row);
    if (near > most) [best, most] = [row, near];
  }
  const searched = run.gallery ?? run.data;
  const { pixels } = await imageOf(searched, best, run.signal);
  const label = labels[best];
  return { label, ...nameIn(searched, best), right: label === run.data.labels[sample], image: pixels };
}

/** Of unit rows. */
function cosine(a: Matrix, rowOfA: number, b: Matrix, rowOfB: number): number {
  let sum = 0;
  for (let col = 0; col < a.cols; col++) sum += a.data[rowOfA * a.cols + col] * b.data[rowOfB * b.cols + col];
  return sum;
}
