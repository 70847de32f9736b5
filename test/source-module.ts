import { pathToFileURL } from 'node:url';

// In parts: this module goes through requireTfjs itself, as every module of the tests. '#tf' is what sources take, tests the whole package.
const IMPORTED = /import \* as tf from ('(?:#tf|@tensorflow\/tfjs)');/;
const REQUIRED = `import { createRequire as from } from 'node:module'; const tf = from(import.meta.url)($1);`;

/**
 * A module with tfjs by require, as scripts/build-ts.mjs has it in dist/: to import CommonJS, Node first reads all of it for the
 * names of its exports, which for tfjs takes 0.8 s of a processor in every process. On the line of the import, so that lines stay.
 */
export function requireTfjs(code: string): string {
  return code.replace(IMPORTED, REQUIRED);
}

/** A module that finds its files from where its source is, wherever what is built of it lies. */
export function keepPlace(code: string, path: string): string {
  return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
}
