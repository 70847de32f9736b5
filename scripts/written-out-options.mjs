/** Types that are inferred from schemas, as interfaces with the schemas' descriptions: for scripts/reference.mjs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What depends on a type parameter is said by what `Config` says. */
const WRITTEN_BY_HAND = {
  DataSetOptions: `export type DataSetOptions<Name extends DataSetName> =
    Omit<Extract<NonNullable<import('../../config/index.js').Config['data']>, { name: Name }>, 'name'>;`,
};

/** Rewrites the declarations in `dist`; returns which names each room exports. */
export async function writeOutOptions(ts, dist) {
  const index = join(dist, 'index.d.ts');
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true };
  const program = ts.createProgram([index], {
    ...options,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const rooms = {};
  const edits = new Map();
  const writtenOf = async (declaration) => {
    const from = ts.isTypeAliasDeclaration(declaration)
      ? declaration.type
      : ts.isInterfaceDeclaration(declaration) && declaration.heritageClauses?.[0];
    if (!from || declaration.typeParameters || !/\bz\./.test(from.getText())) return undefined;
    return written(ts, checker, declaration, await schemaOf(from, declaration.getSourceFile().fileName));
  };
  for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(index)))) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const [declaration] = symbol.declarations ?? [];
    const file = declaration.getSourceFile();
    const [room] = relative(dist, file.fileName).split('/');
    const name = room.endsWith('.d.ts') ? 'errors' : room;
    rooms[name] ??= [];
    rooms[name].push(exported.name);
    const text = WRITTEN_BY_HAND[exported.name] ?? (await writtenOf(declaration));
    if (!text) continue;
    edits.set(file.fileName, [...(edits.get(file.fileName) ?? []), { declaration, text }]);
  }
  for (const [path, made] of edits) {
    let source = readFileSync(path, 'utf8');
    for (const { declaration, text } of made.sort((a, b) => b.declaration.pos - a.declaration.pos)) {
      source = source.slice(0, declaration.getStart()) + text + source.slice(declaration.end);
    }
    writeFileSync(path, source);
  }
  return Object.fromEntries(Object.entries(rooms).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The schema that a type is inferred from, from the module that has it; a module keeps some to itself, so a copy of it is asked. */
async function schemaOf(from, file) {
  const [, name] = /typeof (\w+)/.exec(from.getText()) ?? [];
  if (!name) return undefined;
  const module = file.replace(/\.d\.ts$/, '.js');
  const source = readFileSync(module, 'utf8');
  if (!new RegExp(`^(export )?const ${name}\\b`, 'm').test(source)) return undefined;
  const copy = module.replace(/\.js$/, `.${name}.js`);
  writeFileSync(copy, `${source}\nexport const writtenOut = ${name};\n`);
  return (await import(pathToFileURL(copy).href)).writtenOut;
}

function written(ts, checker, declaration, schema) {
  const { NoTruncation, InTypeAlias } = ts.TypeFormatFlags;
  const flags = NoTruncation | InTypeAlias;
  const type = checker.getTypeAtLocation(declaration);
  const name = declaration.name.text;
  const shape = schema?.shape ?? schema?.def?.innerType?.shape;
  if (type.isUnion() || !(type.flags & ts.TypeFlags.Object || type.isIntersection()) || checker.isArrayType(type)) {
    return `export type ${name} = ${checker.typeToString(type, declaration, flags)};`;
  }
  return `export interface ${name} ${membersOf(ts, checker, declaration, type, shape)}`;
}

/** A type's members in braces, each with what its schema says of it; a schema within a schema likewise. */
function membersOf(ts, checker, declaration, type, shape) {
  const members = checker.getPropertiesOfType(type).map((property) => {
    const optional = property.flags & ts.SymbolFlags.Optional ? '?' : '';
    const schema = shape?.[property.name];
    const inner = unwrapped(schema)?.shape;
    const of = checker.getTypeOfSymbol(property);
    const text = inner
      ? membersOf(ts, checker, declaration, checker.getNonNullableType(of), inner)
      : checker.typeToString(of, declaration, ts.TypeFormatFlags.NoTruncation).replace(/ \| undefined$/, '');
    const own = ts.displayPartsToString(property.getDocumentationComment(checker));
    const about = own || described(schema);
    return `${about ? `  /** ${about.replaceAll('*/', '* /')} */\n` : ''}  ${JSON.stringify(property.name)}${optional}: ${text};`;
  });
  return `{\n${members.join('\n')}\n}`;
}

/** A schema without its default and the like. */
function unwrapped(schema) {
  let inner = schema;
  while (inner?.def?.innerType) inner = inner.def.innerType;
  return inner;
}

/** What a schema says of itself, and its default. */
function described(schema) {
  if (!schema) return '';
  let [text, value, inner] = [schema.description, undefined, schema];
  while (inner?.def?.innerType) {
    if (inner.def.type === 'default') value = inner.def.defaultValue;
    inner = inner.def.innerType;
    text ??= inner.description;
  }
  // A default that is made, such as a loss, is in the words.
  const plain = Object.values(value ?? {}).every((part) => Object(part) !== part) && JSON.stringify(value);
  return `${text ?? ''}${plain ? ` (default \`${plain}\`)` : ''}`.trim();
}
