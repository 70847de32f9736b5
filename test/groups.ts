/**
 * Which tests share a process, and which the inner loop leaves out. vitest.config.ts reads both lists; `npm test` runs every file.
 */

/**
 * Files with a process of their own: they replace modules (vi.mock), set what a process reads once from its environment, start and end
 * many processes, or look at the whole of theirs (its tensors, memory, handles, signals). All others run one after another in one process per
 * core, which loads tfjs, the addon and src/ once.
 */
export const OWN_PROCESS = [
  ...['cli', 'distributed', 'docs', 'fuzz', 'simt', 'gpu', 'webgpu', 'native', 'packaging', 'public'].map(
    (room) => `test/${room}/**/*.test.ts`,
  ),
  'test/config/{parts,sweep-budget}.test.ts',
  'test/data/{source,open-data,decoding-thread,layouts/fuzz,sets/fashion-mnist}.test.ts',
  'test/evaluation/{gather,ranking-steps,sanity-thresholds}.test.ts',
  'test/kernels/{abort,cuda-probe,cuda-variants,isa,lifecycle,winograd,worker-threads}.test.ts',
  'test/models/webgpu-backbones.test.ts',
  'test/report/browser.test.ts',
  'test/training/resume-killed.test.ts',
  'test/tfjs/{later-*,op-tests,tensorflow-choice,tensorflow-training,webgpu,webgpu-import,webgpu-kernels,webgpu-training}.test.ts',
];

/** What `npm run test:fast` leaves out, by the reason. */
export const NOT_FAST: Record<string, string[]> = {
  'starts processes': [
    'test/{cli,docs,packaging,public}/**',
    'test/report/browser.test.ts',
    'test/{cli,distributed,packaging,public}/**',
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
