import { partNamed, partsOf } from '../../part.js';
import type { Objective } from '../objective.js';
import * as objectives from './list.js';

const OBJECTIVES = partsOf(objectives);

/** The names that {@link objective} knows. */
export const OBJECTIVE_NAMES: readonly string[] = OBJECTIVES.map(({ name }) => name);

/**
 * The objective of that name, with its options: `objective('soft-kmeans', { temperature: 0.05 })`.
 *
 * @throws EatDmlError ERR_ARGUMENT that lists the known ones.
 *
 * @example
 * ```ts
 * import { OBJECTIVE_NAMES, objective } from 'eat-dml';
 *
 * console.log(OBJECTIVE_NAMES);
 * const { name, joint } = objective('soft-kmeans', { temperature: 0.05 });
 * console.log(name, joint);
 * ```
 */
export function objective(name: string, options: Record<string, unknown> = {}): Objective {
  return partNamed<Objective>(OBJECTIVES, name, 'objective').make(options);
}
