import { type Config, configJsonSchema, DEFAULTS } from './schema.js';

/** What is used of JSON Schema. */
interface Schema {
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  type?: string;
  properties?: Record<string, Schema>;
  oneOf?: Schema[];
  anyOf?: Schema[];
}

const WIDTH = 100;
/** What names the part, by the section. */
const KEY: Record<string, string> = { model: 'kind' };

/**
 * A configuration with every key that it may have: each with its description, and commented out with its default (or with what it takes, in
 * brackets). As it is it says what `config` says, and the default parts. JSON with comments, which `readConfig` reads.
 */
export function configTemplate(config: Config = {}): string {
  const all: Record<string, unknown> = { ...DEFAULTS, ...defined(config) };
  const { properties, $id } = configJsonSchema() as { properties: Record<string, Schema>; $id: string };
  const sections = Object.entries(properties).map(([key, schema]) => {
    if (key === '$schema') return [...comment(schema.description), `"$schema": ${JSON.stringify($id)},`];
    const variants = schema.oneOf ?? schema.anyOf;
    if (variants?.[0].properties || schema.properties) return section(key, schema, defined(all[key] ?? {}));
    return entry(key, schema, all);
  });
  const lines = sections.flatMap((lines, i) => (i > 0 ? ['', ...lines] : lines));
  return `{\n${indented(lines).join('\n')}\n}\n`;
}

/** A section: what is given of it, then what else it may have. */
function section(key: string, schema: Schema, given: Record<string, unknown>): string[] {
  const by = KEY[key] ?? 'name';
  const variants = schema.oneOf ?? schema.anyOf ?? [];
  const part = variants.find(({ properties }) => properties?.[by]?.const === given[by]) ?? schema;
  const names = variants.flatMap(({ properties }) => properties?.[by]?.const ?? []);
  const options = Object.entries(part.properties ?? {}).filter(([name]) => name !== by);
  const body = [
    ...(variants.length > 0 ? [`"${by}": ${JSON.stringify(given[by])}, // ${names.join(', ')}`] : []),
    ...options.flatMap(([name, option]) => entry(name, option, given)),
  ];
  return [...comment(schema.description), `"${key}": {`, ...indented(body), '},'];
}

/** A key below its description: with what is given, else commented out. */
function entry(key: string, schema: Schema, given: Record<string, unknown>): string[] {
  const line = (value: string) => `"${key}": ${value},`;
  if (key in given) return [...comment(schema.description), line(JSON.stringify(given[key]))];
  const value = schema.default === undefined ? `(${typeText(schema)})` : JSON.stringify(schema.default);
  return [...comment(schema.description), `// ${line(value)}`];
}

/** What a key without a default takes. */
function typeText({ enum: values, const: only, type, oneOf, anyOf, properties }: Schema): string {
  if (values) return values.map((value) => JSON.stringify(value)).join(' or ');
  if (only !== undefined) return JSON.stringify(only);
  const variants = oneOf ?? anyOf;
  if (variants) return [...new Set(variants.map(typeText))].join(' or ');
  if (properties) return `{ ${Object.keys(properties).join(', ')} }`;
  return type ?? 'any';
}

/** Comment lines of a text. */
function comment(text = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].filter((each) => each !== '').map((each) => `// ${each}`);
}

const defined = (of: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined));
const indented = (lines: string[]) => lines.map((line) => (line === '' ? '' : `  ${line}`));
