import { radiusText } from './radius-text.js';

/** Where two plain values differ, and what is there, as a person reads it. */
export interface Difference {
  /** Keys with points between: method.attack.epsilon. */
  path: string;
  before: string;
  now: string;
}

/** What a part is chosen by: of different parts nothing below is compared. */
const CHOICES = ['name', 'kind'];

/** The first place in which two plain values differ, below `path`; undefined where they are alike but for the order of their keys. */
export function differenceOf(before: unknown, now: unknown, path: string): Difference | undefined {
  if (!isPlain(before) || !isPlain(now)) {
    if (JSON.stringify(before) === JSON.stringify(now)) return undefined;
    return { path, before: textOf(path, before), now: textOf(path, now) };
  }
  const choice = CHOICES.find((key) => before[key] !== now[key]);
  if (choice) return { path, before: textOf(path, before[choice]), now: textOf(path, now[choice]) };
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const found = differenceOf(before[key], now[key], `${path}.${key}`);
    if (found) return found;
  }
  return undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(path: string, value: unknown): string {
  if (typeof value === 'number' && /\b(epsilon|stepSize)$/.test(path)) return radiusText(value);
  return JSON.stringify(value) ?? 'nothing';
}
