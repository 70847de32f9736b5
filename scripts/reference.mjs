/**
 * `npm run reference [FOLDER]`: docs/reference from the doc comments, a page for each room. typedoc does not run on the compiler that
 * builds this package, so it has an older one beside it, in a folder of its own. Options that are inferred from schemas are
 * written out first, as interfaces with the schemas' descriptions and defaults.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { buildTypeScript, isBuilt } from './build-ts.mjs';
import { root } from './native-addon.mjs';
import { writeOutOptions } from './written-out-options.mjs';

const PACKAGES = { typedoc: '0.28.20', 'typedoc-plugin-markdown': '4.14.1', typescript: '6.0.3' };
const EXTERNAL = ['@tensorflow', 'zod', 'typescript', '@types'].map((name) => `**/node_modules/${name}/**`);
const tools = join(root, 'node_modules/.cache/eat-dml/reference');
const work = join(tools, 'work');

// Others may run what is built.
const problem = isBuilt() ? '' : await buildTypeScript();
if (problem) throw new Error(problem);
installTools();
rmSync(work, { recursive: true, force: true });
cpSync(join(root, 'dist'), join(work, 'dist'), { recursive: true });
cpSync(join(root, 'package.json'), join(work, 'package.json'));
const out = resolve(process.argv[2] ?? join(root, 'docs/reference'));
const ts = createRequire(join(tools, 'package.json'))('typescript');
const rooms = await writeOutOptions(ts, join(work, 'dist'));
writeReference(rooms);

function installTools() {
  const installed = (name) => {
    const path = join(tools, 'node_modules', name, 'package.json');
    return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version;
  };
  if (Object.entries(PACKAGES).every(([name, version]) => installed(name) === version)) return;
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{"private": true}');
  const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', ...packages], tools);
}

/** An entry point for each room, so that each has a page. */
function writeReference(rooms) {
  const entries = Object.entries(rooms).map(([room, names]) => {
    const entry = join(work, 'dist', `${room}.entry.d.ts`);
    writeFileSync(entry, `/** @module ${room} */\nexport { ${names.join(', ')} } from './index.js';\n`);
    return entry;
  });
  const compilerOptions = { module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: true, types: ['node'] };
  writeFileSync(
    join(work, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, target: 'es2023', lib: ['es2024', 'esnext.disposable'] },
      files: entries,
    }),
  );
  rmSync(out, { recursive: true, force: true });
  const options = {
    ...{ entryPoints: entries, tsconfig: join(work, 'tsconfig.json'), out, readme: 'none', name: 'Reference' },
    ...{ plugin: ['typedoc-plugin-markdown'], router: 'module', entryFileName: 'README', hidePageHeader: true },
    ...{ disableSources: true, disableGit: true, skipErrorChecking: true, githubPages: false, excludePrivate: true },
    ...{
      hideBreadcrumbs: true,
      parametersFormat: 'list',
      interfacePropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
    },
    ...{ propertiesFormat: 'table', classPropertiesFormat: 'table', useCodeBlocks: true, validation: false },
    ...{ sort: ['kind', 'alphabetical'], logLevel: 'Warn', excludeExternals: true, externalPattern: EXTERNAL },
  };
  writeFileSync(join(work, 'typedoc.json'), JSON.stringify(options, null, 2));
  run(
    process.execPath,
    [join(tools, 'node_modules/typedoc/bin/typedoc'), '--options', join(work, 'typedoc.json')],
    tools,
  );
  const pages = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  console.log(`${pages.length} pages in ${relative(root, out)}`);
}

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
}
