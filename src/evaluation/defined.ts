import type { ClusterMetric, MetricName } from './scores.js';

/** Why a metric cannot be had of some images, by the metric. */
export type Reasons = Partial<Record<MetricName, string>>;

export const ONE_CLASS = 'the images are all of one class';
const NO_OTHER = 'no image has another of its class to be found';

/** Information is shared out among classes, and one class has none: 0/0. */
const OF_SEVERAL_CLASSES: readonly ClusterMetric[] = ['nmi', 'ami', 'ari'];
const OF_RETRIEVAL = ['recallAt1', 'recallAt2', 'recallAt4', 'recallAt8', 'mapAtR', 'rPrecision'] as const;

/**
 * The metrics that are not defined on images with these labels, whatever their embeddings are; looked up in a gallery with those
 * labels, where there is one.
 */
export function notDefinedOn(labels: Int32Array, gallery?: Int32Array): Reasons {
  const several = new Set([...labels, ...(gallery ?? [])]).size > 1;
  const found = withOthers(labels, gallery).some((other) => other === 1);
  return {
    ...(several ? {} : Object.fromEntries(OF_SEVERAL_CLASSES.map((metric) => [metric, ONE_CLASS]))),
    ...(found ? {} : Object.fromEntries(OF_RETRIEVAL.map((metric) => [metric, NO_OTHER]))),
  };
}

/** 1 for each image that has another of its class, or one in the gallery, where there is one. */
export function withOthers(labels: Int32Array, gallery?: Int32Array): Uint8Array {
  if (gallery) {
    const there = new Set(gallery);
    return Uint8Array.from(labels, (label) => (there.has(label) ? 1 : 0));
  }
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  return Uint8Array.from(labels, (label) => (sizes.get(label)! > 1 ? 1 : 0));
}

/** Why an attack on images of so many classes cannot be made; undefined where it can. */
export function whyNotRun({ leastClasses = 1 }: { leastClasses?: number }, classes: number): string | undefined {
  return classes < leastClasses ? `it needs ${leastClasses} classes, and ${ONE_CLASS}` : undefined;
}
