import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../packaging/run.js';
import { type Block, place, shortened, WHOLE } from './blocks.js';
import { ENV } from './stage.js';

const nameOf = (block: Block, ending: string) => `${place(block).replaceAll(/[^\w]+/g, '-')}${ending}`;

/** Writes a block as a module into `folder`, without types, and gives its name. Lines are as in the page. */
async function writeProgram(block: Block, folder: string): Promise<string> {
  const { transform } = await import('esbuild');
  const { code } = await transform(WHOLE ? block.code : shortened(block.code), { loader: 'ts', target: 'node20' });
  // A block that begins with the name of a file is that file.
  const file = /^\/\/ ([\w-]+\.mjs)\n/.exec(block.code)?.[1] ?? nameOf(block, '.mjs');
  writeFileSync(join(folder, file), code);
  return file;
}

/** Runs a block in a process of its own; returns what went wrong. */
export async function faultOfProgram(block: Block, folder: string): Promise<string | undefined> {
  const file = await writeProgram(block, folder);
  const ended = await run(process.execPath, [file], { cwd: folder, env: ENV });
  return ended.code === 0 ? undefined : `${place(block)} ended with ${ended.code}: ${ended.stderr.slice(-2000)}`;
}

/** Runs blocks one after the other in one process, which loads tfjs once; stops at the first that fails. */
export async function faultOfPrograms(blocks: Block[], folder: string): Promise<string | undefined> {
  const files: string[] = [];
  for (const block of blocks) files.push(await writeProgram(block, folder));
  const program = files.map((file) => `console.error('${file}'); await import('./${file}');\n`).join('');
  const all = nameOf(blocks[0], '-and-others.mjs');
  writeFileSync(join(folder, all), program);
  const ended = await run(process.execPath, [all], { cwd: folder, env: ENV });
  return ended.code === 0 ? undefined : `ended with ${ended.code}: ${ended.stderr.slice(-2000)}`;
}

const CHECKED = {
  target: 'es2023',
  lib: ['es2024', 'esnext.disposable'],
  strict: true,
  // Parameters of a .mjs have no types to write.
  noImplicitAny: false,
  module: 'nodenext',
  moduleResolution: 'nodenext',
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  types: ['node'],
  noEmit: true,
};

/**
 * What tsc has against the blocks and the programs in examples/, each a module of a project that has the package, strictly, as
 * most projects have it.
 */
export async function faultsOfTypes(blocks: Block[], folder: string, examples: string[]): Promise<string[]> {
  const typed = blocks.filter(({ language }) => language === 'ts');
  const plain = blocks.filter((block) => !typed.includes(block));
  const files = (of: Block[], ending: string): Checked[] =>
    of.map((block) => ({ name: nameOf(block, ending), where: place(block), code: `${block.code}\nexport {};\n` }));
  const programs = examples.map((name) => ({
    ...{ name, where: `examples/${name}` },
    code: readFileSync(join(root, 'examples', name), 'utf8'),
  }));
  return [
    ...(await faultsOfProject(join(folder, 'typed'), files(typed, '.mts'))),
    ...(await faultsOfProject(join(folder, 'plain'), [...files(plain, '.mjs'), ...programs])),
  ];
}

interface Checked {
  name: string;
  where: string;
  code: string;
}

async function faultsOfProject(folder: string, files: Checked[]): Promise<string[]> {
  mkdirSync(folder);
  for (const { name, code } of files) writeFileSync(join(folder, name), code);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: CHECKED, include: ['*'] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder });
  const lines = stdout.trim() ? stdout.trim().split('\n') : [];
  return lines.map((line) =>
    line.replace(/^[\w.-]+(?=\()/, (file) => files.find(({ name }) => name === file)?.where ?? file),
  );
}

/** Calls `each` for all of `items`, two at a time. */
export async function byTwos<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await each(items[i]);
  };
  await Promise.all([worker(), worker()]);
  return results;
}
