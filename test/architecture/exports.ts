import { readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';

export interface Export {
  file: string;
  /** The comment of the declaration that has one, where there are several (overloads). */
  doc?: string;
}

const DECLARATION =
  /(\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)?^export (?:declare )?(?:async )?(?:abstract )?(?:const|function|class|interface|type) (\w+)/gm;
const NAMED = /^export (?:type )?\{([^}]*)\} from '(\.[^']+)';/gm;
const ALL = /^export \* from '(\.[^']+)';/gm;

const source = (from: string, to: string) => normalize(`${dirname(from)}/${to.replace(/\.js$/, '.ts')}`);

/** What a module of src/ exports, by name, through the modules that it hands on. */
export function exportsOf(file: string): Map<string, Export> {
  const text = readFileSync(file, 'utf8');
  const found = new Map<string, Export>();
  for (const [, from] of text.matchAll(ALL)) for (const each of exportsOf(source(file, from))) found.set(...each);
  for (const [, names, from] of text.matchAll(NAMED)) {
    const there = exportsOf(source(file, from));
    for (const name of names.split(',').map((given) => given.replace(/^\s*(type )?/, '').trim())) {
      if (name) found.set(name, there.get(name) ?? { file: source(file, from) });
    }
  }
  for (const [, doc, name] of text.matchAll(DECLARATION)) found.set(name, { file, doc: found.get(name)?.doc ?? doc });
  return found;
}
