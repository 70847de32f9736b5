import { EatDmlError, invalid } from '../errors.js';
import { labelProblem } from '../labels.js';

/** Throws unless `labels` is a list of integers of the expected length; `name` is the argument's name in the message. */
export function checkLabels(name: string, labels: ArrayLike<number>, length?: number): void {
  if (typeof labels !== 'object' || labels === null || !Number.isSafeInteger(labels.length)) {
    throw invalid(name, 'an array of integers', labels);
  }
  if (labels.length === 0) throw invalid(name, 'at least one label', labels);
  if (length !== undefined && labels.length !== length) {
    throw new EatDmlError('ERR_ARGUMENT', `Expected ${length} values in ${name} but received ${labels.length}.`);
  }
  for (let i = 0; i < labels.length; i++) {
    const expected = labelProblem(labels, i);
    if (expected) throw invalid(`${name}[${i}]`, expected, labels[i]);
  }
}
