import type { Command } from 'commander';
import { configShape } from '../config/schema.js';
import { suiteName } from '../evaluation/suites/index.js';
import { METHODS } from '../training/methods/list.js';

const CHOICES: Record<string, readonly string[]> = {
  '--backend': configShape.backend.unwrap().options,
  '--device': configShape.device.unwrap().options,
  '--method': METHODS.map(({ name }) => name),
  '--suite': suiteName.options,
};

/** Says what the command's named flags may be: the lists that the library has. */
export function offerChoices({ options }: Command): void {
  for (const option of options) if (option.long && option.long in CHOICES) option.choices(CHOICES[option.long]);
}
