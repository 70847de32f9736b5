/**
 * Which tests share a process, and which the inner loop leaves out. vitest.config.ts reads both lists; `npm test` runs every file.
 */

/**
 * Files with a process of their own: they replace modules (vi.mock), set what a process reads once from its environment, or look at the whole
 * of theirs (its tensors, its output). All others run one after another in one process per core, which loads tfjs, the addon and src/ once:
 * a process of its own costs a file two seconds.
 */
export const OWN_PROCESS = [
  ...['fuzz', 'public', 'simt', 'webgpu'].map((room) => `test/${room}/**/*.test.ts`),
  'test/cli/{deliver,environment}.test.ts',
  'test/config/parts.test.ts',
  'test/data/{resize,source,open-data,decoding-thread,layouts/fuzz,sets/fashion-mnist}.test.ts',
  'test/distributed/{kmeans-bounds,single}.test.ts',
  'test/evaluation/sanity-thresholds.test.ts',
  'test/kernels/{cuda-variants,lifecycle}.test.ts',
  'test/models/webgpu-backbones.test.ts',
  'test/tfjs/{op-tests,tensorflow-choice,tensorflow-training,webgpu,webgpu-evaluate,webgpu-import,webgpu-kernels,webgpu-thousand-steps,webgpu-training}.test.ts',
];

/** What `npm run test:fast` leaves out, by the reason. */
export const NOT_FAST: Record<string, string[]> = {
  'starts processes': [
    'test/{cli,distributed,docs,packaging,public}/**',
    'test/report/browser.test.ts',
    'test/checkpoints/{lock-folder,changed-files}.test.ts',
    'test/kernels/{cuda-probe,isa,lifecycle,worker-threads}.test.ts',
  ],
  'builds or emulates': ['test/{simt,gpu,webgpu,native}/**'],
  'runs what others wrote': ['test/tfjs/{tensorflow,op-tests,wasm,webgpu}*.test.ts'],
  'reads or makes a whole data set': ['test/data/{sets/fashion-mnist,layouts/full-count}.test.ts'],
  'trains or attacks for long': [
    'test/evaluation/{gather,protocols,small-sets,sanity,seen,temperatures,ranking-steps}.test.ts',
    'test/models/{foreign,backbones,norm-sets}.test.ts',
    'test/data/source.test.ts',
    'test/training/{methods,resume,run-folder,defences,published-defences,gradient-count,validation}*.test.ts',
    'test/training/{micro-batches,split-batch-norm}*.test.ts',
    'test/config/sweep-budget.test.ts',
    'test/tfjs/{training-step*,backend-jobs,later-*}.test.ts',
  ],
};
