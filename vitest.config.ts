import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { requireTfjs } from './test/source-module.js';

const report = process.env.EAT_DML_TEST_REPORT;

export default defineConfig({
  plugins: [{ name: 'require-tfjs', enforce: 'pre', transform: (code) => requireTfjs(code) }],
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // By default one on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // .ci/run counts what ran.
    ...(report && { reporters: ['default', ['json', { outputFile: report }]] }),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // tfjs-core's own tests are modules that Node does not resolve by itself (imports without an ending).
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core)/] } },
  },
});
