import type { Command } from 'commander';
import { offerChoices } from '../choices.js';
import { inQuotes } from '../command-text.js';

export type Shell = 'bash' | 'zsh' | 'fish';

interface Flag {
  name: string;
  description: string;
  takesValue: boolean;
  /** Empty where it may be anything, a file among it. */
  choices: readonly string[];
}

interface Completed {
  name: string;
  description: string;
  flags: Flag[];
  /** What its arguments may be, and its subcommands. */
  words: readonly string[];
}

const WRITERS: Record<Shell, (commands: Completed[]) => string> = { bash, zsh, fish };

/** `eat-dml completion SHELL`: a script for the shell, made of the program's own commands and flags. */
export function completionCommand(shell: Shell, program: Command): void {
  process.stdout.write(WRITERS[shell](program.commands.map(completed)));
}

function completed(command: Command): Completed {
  offerChoices(command);
  const flags = command.options.map(({ long, description, required, optional, argChoices = [] }): Flag => {
    return { name: long!.slice(2), description, takesValue: required || optional, choices: argChoices };
  });
  const help: Flag = { name: 'help', description: 'display help for command', takesValue: false, choices: [] };
  const words = [
    ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    ...command.commands.map((each) => each.name()),
  ];
  return { name: command.name(), description: command.description(), flags: [...flags, help], words };
}

const long = ({ name }: Flag) => `--${name}`;

function bash(commands: Completed[]): string {
  const values = commands.flatMap(({ name, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map((flag) => `    ${inQuotes(`${name} ${long(flag)}`)}) words=${inQuotes(flag.choices.join(' '))} ;;`),
  );
  const others = commands.map(({ name, flags, words }) => {
    return `    ${inQuotes(name)}' '*) words=${inQuotes([...words, ...flags.map(long)].join(' '))} ;;`;
  });
  return `# eat-dml completion bash >> ~/.bashrc, or: source <(eat-dml completion bash)
_eat_dml() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words=
  case "\${COMP_WORDS[1]} $before" in
${[...values, ...others].join('\n')}
  esac
  [ "$COMP_CWORD" -gt 1 ] || words=${inQuotes(commands.map(({ name }) => name).join(' '))}
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _eat_dml eat-dml
`;
}

function zsh(commands: Completed[]): string {
  const escaped = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');
  const values = ({ name, choices, takesValue }: Flag) => {
    if (!takesValue) return '';
    return `:${name}:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}`;
  };
  const cases = commands.map(({ name, flags, words }) => {
    const specs = flags.map((flag) => inQuotes(`${long(flag)}[${escaped(flag.description)}]${values(flag)}`));
    const rest = words.length > 0 ? `'*:what:(${words.join(' ')})'` : "'*:file:_files'";
    return `    ${name}) _arguments ${[...specs, rest].join(' ')} ;;`;
  });
  const described = commands.map(({ name, description }) => inQuotes(`${name}:${description}`));
  return `#compdef eat-dml
# eat-dml completion zsh > "\${fpath[1]}/_eat-dml", or: source <(eat-dml completion zsh)
_eat_dml() {
  local -a commands=(${described.join(' ')})
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
compdef _eat_dml eat-dml
`;
}

function fish(commands: Completed[]): string {
  const lines = commands.flatMap(({ name, description, flags, words }) => {
    const here = `-n '__fish_seen_subcommand_from ${name}'`;
    const offered = words.length > 0 ? [`complete -c eat-dml ${here} -f -a ${inQuotes(words.join(' '))}`] : [];
    const own = flags.map((flag) => {
      const takes = !flag.takesValue
        ? ''
        : flag.choices.length > 0
          ? ` -x -a ${inQuotes(flag.choices.join(' '))}`
          : ' -r';
      return `complete -c eat-dml ${here} -l ${flag.name}${takes} -d ${inQuotes(flag.description)}`;
    });
    const command = `complete -c eat-dml -n __fish_use_subcommand -f -a ${name} -d ${inQuotes(description)}`;
    return [command, ...offered, ...own];
  });
  return ['# eat-dml completion fish > ~/.config/fish/completions/eat-dml.fish', ...lines, ''].join('\n');
}
