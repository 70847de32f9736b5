/**
 * npm runs this after `npm ci` and `npm install` in a checkout. Builds dist/ and the native addon, in silence unless
 * something fails; the want of a C++ compiler, or of the devDependencies, is no failure.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildTypeScript } from './build-ts.mjs';
import { buildNative, howToGetTools, root, whyNotBuilt } from './native-addon.mjs';

const say = (line) => console.error(`eat-dml: ${line}`);

if (canCompileTypeScript()) {
  const output = await buildTypeScript();
  if (output) {
    say(`dist/ could not be built:\n${output}`);
    process.exit(1);
  }
} else if (!existsSync(join(root, 'dist'))) {
  say('dist/ is not built, TypeScript is not installed: run npm ci without --omit=dev.');
}

const result = await buildNative();
if (result.ok) {
  say(`native addon built by ${result.way} (${result.info.isa}, ${result.info.threads} threads)`);
} else {
  for (const { output } of result.failures) console.error(output.slice(-8000));
  say(`${whyNotBuilt(result)}; kernels run in JavaScript, slower. ${howToGetTools(result.missing)}`.trimEnd());
}

function canCompileTypeScript() {
  try {
    createRequire(import.meta.url).resolve('typescript/package.json');
    return true;
  } catch {
    return false;
  }
}
