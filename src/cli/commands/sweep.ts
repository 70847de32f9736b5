import { amount } from '../../amount.js';
import { readJson } from '../../config/read.js';
import { checkSweep, type JobHooks, sweepConfig } from '../../config/sweep.js';
import type { SweepConfig, SweepJob } from '../../config/sweep-schema.js';
import { scoreText } from '../../report/score-text.js';
import { writeOrPrint } from '../deliver.js';
import { interruptible } from '../interrupt.js';
import { printResult } from '../options.js';
import { duration, ProgressLine } from '../progress-line.js';

export interface SweepFlags {
  json?: boolean;
  shard?: [number, number];
}

/** `eat-dml sweep FILE`: trains and evaluates every run of a grid that has no result yet; go on by calling it again. */
export async function sweepCommand(file: string, { json, shard }: SweepFlags): Promise<void> {
  const sweep = (await readJson(file)) as SweepConfig;
  checkSweep(sweep, file);
  const kept = `What was made is kept. Go on with: npx eat-dml sweep ${file}`;
  const outcome = await interruptible((signal) => sweepConfig(sweep, { shard, onJob, save: writeOrPrint, signal }), {
    what: 'The sweep',
    kept,
  });
  const { made, found } = outcome;
  const result = { command: 'sweep', out: sweep.out, ...outcome };
  printResult(
    json,
    result,
    `${made} runs made, ${found} were there, in ${sweep.out}\nNext: npx eat-dml table ${sweep.out}, or npx eat-dml report ${sweep.out}`,
  );
}

/** A line of progress for its training, another for its evaluation. */
function onJob({ folder }: SweepJob, at: number, of: number): JobHooks {
  const [training, evaluation] = ['train', 'evaluate'].map(
    (what) => new ProgressLine(`[${at}/${of}] ${folder} ${what}`),
  );
  return {
    onProgress: (progress) => (progress.phase === 'attack' ? evaluation : training).show(progress),
    onTrained: ({ steps, seconds }) => training.end(`${amount(steps, 'step')} in ${duration(seconds)}`),
    onEvaluated({ worst, seconds }) {
      const { nmi, recallAt1 } = worst.scores;
      evaluation.end(`worst NMI ${scoreText(nmi)}, Recall@1 ${scoreText(recallAt1)} in ${duration(seconds)}`);
    },
  };
}
