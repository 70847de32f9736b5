import { z } from 'zod';
import { parse } from './options.js';

/**
 * Something that a configuration can name, such as a loss: its name, its options, and how it is made of them. Library,
 * configuration, JSON Schema, command line and the tables in the docs all read this; the rooms' lists name the parts.
 */
export interface Part<Name extends string = string, Options extends z.ZodObject = z.ZodObject, Made = unknown> {
  readonly name: Name;
  /** What it is, in one line. */
  readonly title: string;
  /** Strict; every key described, defaults filled in. */
  readonly options: Options;
  /** Also checks the options. */
  make(options: z.input<Options>): Made;
}

export function part<const Name extends string, Options extends z.ZodObject, Made>(
  name: Name,
  title: string,
  options: Options,
  make: (options: z.input<Options>) => Made,
): Part<Name, Options, Made> {
  return { name, title, options, make };
}

/** The parts of a list, by name. A list is a file of lines `export { xPart } from './x.js';`, taken by `import * as`. */
export function partsOf<List extends Record<string, Part>>(list: List): readonly List[keyof List][] {
  const parts = Object.values(list) as List[keyof List][];
  return parts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Named<P, Key extends string> =
  P extends Part<infer Name, infer Options>
    ? z.ZodObject<Options['shape'] & Record<Key, z.ZodLiteral<Name>>, z.core.$strict>
    : never;

type Choice<P, Key extends string> = Named<P, Key>[] extends readonly z.core.SomeType[]
  ? z.ZodDiscriminatedUnion<Named<P, Key>[], Key>
  : never;

/** Any one of `parts` with its options, as a schema: `{name, ...options}`; the name under `key`. */
export function choiceOf<P extends Part, const Key extends string = 'name'>(
  parts: readonly P[],
  key: Key = 'name' as Key,
): Choice<P, Key> {
  const forms = parts.map(({ name, title, options }) =>
    options.safeExtend({ [key]: z.literal(name).describe(title) }).meta({ title: name, description: title }),
  );
  return z.discriminatedUnion(key, forms as never) as unknown as Choice<P, Key>;
}

/** The name of any one of `parts`, as a schema. */
export function nameOf<const P extends Part>(parts: readonly P[]): z.ZodEnum<{ [Name in P['name']]: Name }> {
  const names: string[] = parts.map(({ name }) => name);
  return z.enum(names) as z.ZodEnum<{ [Name in P['name']]: Name }>;
}

/** The one of `parts` with that name; else ERR_ARGUMENT that lists them, and says which may have been meant, for `what`. */
export function partNamed<Made>(parts: readonly Part<string, z.ZodObject, Made>[], name: string, what = 'name') {
  parse(nameOf(parts), name, what);
  return parts.find((part) => part.name === name)!;
}
