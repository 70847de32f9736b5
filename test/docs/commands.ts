import type { Command } from 'commander';
import { commandLine } from '../../src/cli/program.js';
import type { Block } from './blocks.js';

/** A line of a shell, cut where it says &&, without its comment, its settings of the environment and its redirections. */
export function commandsOf({ code }: Block): string[][] {
  const lines = code.replaceAll('\\\n', ' ').split('\n');
  return lines
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/&&|;|\|/))
    .map(words)
    .map((all) => all.slice(all.findIndex((word) => !/^\w+=/.test(word))))
    .filter((all) => all.length > 0);
}

function words(line: string): string[] {
  const found = line.replace(/ *[12]?>+ *\S+/g, '').match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  return found.filter((word) => word !== '&').map((word) => word.replace(/^(["'])(.*)\1$/, '$2'));
}

/** The arguments of `eat-dml ...`, `npx eat-dml ...` and `npm run demo -- ...`; undefined of another program. */
export function argumentsOf([program, ...rest]: string[]): string[] | undefined {
  if (program === 'eat-dml') return rest;
  if (program === 'npx') return argumentsOf(rest.filter((word) => word !== '-y' && word !== '--yes'));
  const demo = program === 'npm' && rest[0] === 'run' && rest[1] === 'demo';
  return demo ? ['demo', ...rest.slice(2).filter((word) => word !== '--')] : undefined;
}

const FINE = ['commander.helpDisplayed', 'commander.version'];
/** What a command that is only named in a sentence lacks. */
const PART = ['commander.missingArgument', 'commander.missingMandatoryOptionValue'];

/** What the command line has against these arguments, without doing what they say; `whole` if nothing may be left out. */
export async function faultOfArguments(args: readonly string[], whole = true): Promise<string | undefined> {
  const said: string[] = [];
  const eatDml = commandLine();
  const withoutAction = (command: Command) => {
    command.configureOutput({ writeErr: (text) => said.push(text), writeOut: () => {} });
    if (command !== eatDml) command.action(() => {});
    command.commands.forEach(withoutAction);
  };
  withoutAction(eatDml);
  try {
    await eatDml.parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const harmless = whole ? FINE : [...FINE, ...PART];
    return harmless.includes(code ?? '') ? undefined : `${message} ${said}`;
  }
}

/** Flags that leave a command little to do. */
const BRIEF: Record<string, string[]> = {
  train: ['--epochs', '1'],
  evaluate: ['--suite', 'quick', '--count', '8'],
};

export function shortenedArguments(args: string[]): string[] {
  return [...args, ...(BRIEF[args[0]] ?? [])];
}
