/**
 * Makes dist/tf.cjs, the module `#tf` of package.json: core, layers and cpu backend of tfjs as they are installed, with the gradients and the
 * methods of tensors, which tfjs has as modules that Node does not resolve (imports without an ending), and which the package
 * @tensorflow/tfjs bundles in the same way.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './native-addon.mjs';

const TF = `'use strict';
require('@tensorflow/tfjs-backend-cpu');
require('./tfjs-registered.cjs');
module.exports = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
`;

const REGISTERED = ['register_all_gradients', 'public/chained_ops/register_all_chained_ops'];

/** What {@link makeTfjs} makes. */
export const TFJS_FILES = ['tfjs-registered.cjs', 'tf.cjs'];

/** Writes the module into dist/, each file at once: programs may start meanwhile. */
export async function makeTfjs() {
  const { build } = await import('esbuild');
  const dist = join(root, 'dist');
  mkdirSync(dist, { recursive: true });
  const made = mkdtempSync(join(dist, '.tfjs-'));
  writeFileSync(join(made, 'tf.cjs'), TF);
  await build({
    stdin: {
      contents: REGISTERED.map((name) => `import '@tensorflow/tfjs-core/dist/${name}.js';`).join('\n'),
      resolveDir: root,
    },
    outfile: join(made, 'tfjs-registered.cjs'),
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node20', minify: true, legalComments: 'eof' },
    ...{
      logLevel: 'warning',
      banner: { js: '/* Bundled from @tensorflow/tfjs-core, Apache-2.0, Google LLC and others. */' },
    },
  });
  for (const name of TFJS_FILES) renameSync(join(made, name), join(dist, name));
  rmSync(made, { recursive: true });
}
