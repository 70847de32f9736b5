import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { NOT_FAST, OWN_PROCESS } from './test/groups.js';
import { requireTfjs } from './test/source-module.js';

// Sources import it; npm ci without scripts leaves it out.
if (!existsSync('dist/tf.cjs')) await (await import(new URL('scripts/tfjs.mjs', import.meta.url).href)).makeTfjs();

const report = process.env.EAT_DML_TEST_REPORT;
const left = process.env.EAT_DML_TEST_FAST === '1' ? Object.values(NOT_FAST).flat() : [];

export default defineConfig({
  plugins: [{ name: 'require-tfjs', enforce: 'pre', transform: (code) => requireTfjs(code) }],
  test: {
    pool: 'forks',
    // tfjs makes and drops small arrays all the time: with room for them the garbage collector takes a fifth less of a processor.
    execArgv: ['--max-semi-space-size=64'],
    // By default one on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // .ci/run counts what ran.
    ...(report && { reporters: ['default', ['json', { outputFile: report }]] }),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // tfjs-core's own tests are modules that Node does not resolve by itself (imports without an ending).
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core)/] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: [...OWN_PROCESS, ...left],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'own', include: OWN_PROCESS, exclude: left } },
    ],
  },
});
