import { type Argument, type Command, InvalidArgumentError, type Option } from 'commander';
import { PARTS } from '../config/lists.js';
import { configShape } from '../config/schema.js';
import { near, suggestionText } from '../options.js';
import { FETCHED } from './commands/data.js';
import { dataText } from './data-spec.js';
import { checkModel } from './model-flags.js';

const names = (parts: readonly { name: string }[]) => parts.map(({ name }) => name);

/** What flags and arguments may be, by their names. */
export const CHOICES: Record<string, readonly string[]> = {
  '--backend': configShape.backend.unwrap().options,
  '--device': configShape.device.unwrap().options,
  '--method': names(PARTS.method),
  '--loss': names(PARTS.loss),
  '--recipe': names(PARTS.recipe),
  '--suite': names(PARTS.suite),
  set: names(FETCHED),
};

/** Commander's choices, and what was meant by another. */
function offer(taken: Option | Argument, choices: readonly string[]): void {
  taken.choices(choices).argParser((given: string) => {
    if (choices.includes(given)) return given;
    throw new InvalidArgumentError(
      `Allowed choices are ${choices.join(', ')}${suggestionText(near(given, choices)) || '.'}`,
    );
  });
}

/** Says what the command's flags and arguments may be: the lists that the library has. */
export function offerChoices({ options, registeredArguments }: Command): void {
  for (const option of options) {
    if (option.long && option.long in CHOICES) offer(option, CHOICES[option.long]);
    if (option.long === '--data') option.argParser(dataText);
    if (option.long === '--model') option.argParser(checkModel);
  }
  for (const argument of registeredArguments) {
    if (argument.name() in CHOICES) offer(argument, CHOICES[argument.name()]);
  }
}
