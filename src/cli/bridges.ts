import { type Command, InvalidArgumentError } from 'commander';
import type { ScoreFlags } from './commands/score.js';
import { integer, positiveInteger } from './options.js';

/** `eat-dml score`: what needs no run of this package. */
export function addScore(eatDml: Command): void {
  eatDml
    .command('score')
    .description('cluster and search embeddings of any origin: NMI, Recall@K, MAP@R and more')
    .argument('<embeddings>', '.npy file of numbers [rows, columns]')
    .argument('<labels>', '.npy file of integers [rows]')
    .option('--gallery <files...>', 'embeddings and labels to search in, two .npy files (default: all other rows)')
    .option('--k <clusters>', 'number of clusters (default the number of classes)', positiveInteger)
    .option('--recall-at <list>', 'the K of Recall@K (default 1,2,4,8)', list)
    .option('--restarts <count>', 'k-means starts (default 5, of more than 1,000 clusters 1)', positiveInteger)
    .option('--seed <integer>', 'of the k-means starts (default 0)', integer)
    .option('--device <name>', 'auto, cuda, cpu or js')
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (embeddings: string, labels: string, flags: ScoreFlags) =>
      (await import('./commands/score.js')).scoreCommand(embeddings, labels, flags),
    );
}

/** "1,2,4,8" */
function list(text: string): number[] {
  const values = text.split(',').map(Number);
  if (values.every((value) => Number.isSafeInteger(value) && value >= 1)) return values;
  throw new InvalidArgumentError('Expected positive integers with commas between, such as 1,2,4,8.');
}
