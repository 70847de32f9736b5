import { classesOf } from './dataset.js';
import { digestsOf, type Source } from './source.js';

/** What is known of data by which others are told from them. */
export interface KnownData {
  dataset: string;
  /** `[height, width, channels]` of every image. */
  shape: readonly number[];
  classes: readonly number[];
  /** 64 bits of each image. */
  images: BigUint64Array;
}

/** What is known of a source, whose images are read for it where that was not done before. */
export async function knownOf(source: Source, signal?: AbortSignal): Promise<KnownData> {
  const { name: dataset, shape } = source;
  return { dataset, shape, classes: [...classesOf(source)], images: await digestsOf(source, { signal }) };
}

/** How `now` differs from `then`, in words for either; undefined where set, size, classes and images are the same. */
export function otherData(then: KnownData, now: KnownData): { known: string; given: string } | undefined {
  const pairs: [string, string][] = [
    [then.dataset, now.dataset],
    [`images of ${sizeText(then)}`, `images of ${sizeText(now)}`],
    [`${then.shape[2]} channels`, `${now.shape[2]} channels`],
    [`${then.images.length} images`, `${now.images.length} images${strangersText(then, now)}`],
    classesText(then, now),
  ];
  const differing = pairs.filter(([before, after]) => before !== after);
  if (differing.length === 0) return undefined;
  const [before, after] = [0, 1].map((side) => differing.map((pair) => pair[side]).join(', '));
  return { known: before, given: after };
}

function sizeText({ shape: [height, width] }: KnownData): string {
  return `${height} x ${width} pixels`;
}

function strangersText(then: KnownData, now: KnownData): string {
  const seen = new Set(then.images);
  const strangers = now.images.reduce((count, image) => count + (seen.has(image) ? 0 : 1), 0);
  return strangers === 0 ? '' : ` of which ${strangers} are others`;
}

function classesText(then: KnownData, now: KnownData): [string, string] {
  const seen = new Set(then.classes);
  const strangers = now.classes.filter((label) => !seen.has(label)).length;
  const others = strangers === 0 ? '' : ` of which ${strangers} are others`;
  return [`${then.classes.length} classes`, `${now.classes.length} classes${others}`];
}
