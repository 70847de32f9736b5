import { z } from 'zod';

/** What classes are called, by label: `{ 0: 'ant', 1: 'bee' }`, or a list from label 0 on. A class may have no name. */
export type ClassNames = Readonly<Record<number, string>>;

/** What is expected where something else was given. */
export const CLASS_NAMES = 'names of classes by label, such as { 0: "ant" },';

/** Names of classes, as a schema. */
export const classNames = z.custom<ClassNames>(isClassNames, CLASS_NAMES);

/** Whether every key is a label, an integer of 32 bits, and every value a string. */
export function isClassNames(value: unknown): value is ClassNames {
  if (typeof value !== 'object' || value === null) return false;
  const plain = Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]';
  if (!plain) return false;
  return Object.entries(value).every(
    ([label, name]) => String(Number(label) | 0) === label && typeof name === 'string',
  );
}

/** The names of those classes that occur among `labels`, by label; undefined where none has one. */
export function namesAmong(labels: Iterable<number>, names: ClassNames | undefined): ClassNames | undefined {
  const occurring = [...new Set(labels)].sort((a, b) => a - b);
  const found = occurring.flatMap((label) => (names?.[label] ? [[label, names[label]] as const] : []));
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}
