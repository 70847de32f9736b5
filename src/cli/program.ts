import { Argument, Command, CommanderError, Option } from 'commander';
import { packageVersion } from '../version.js';
import { addData, addEmbed, addScore, measuredOptions } from './bridges.js';
import type { Shell } from './commands/completion.js';
import type { DemoFlags } from './commands/demo.js';
import type { EvaluateFlags } from './commands/evaluate.js';
import type { ExportFlags } from './commands/export.js';
import type { InitFlags } from './commands/init.js';
import type { ReportFlags } from './commands/report.js';
import type { SetupTensorflowFlags } from './commands/setup-tensorflow.js';
import type { SweepFlags } from './commands/sweep.js';
import type { TableFlags } from './commands/table.js';
import type { TrainFlags } from './commands/train.js';
import { EXIT, errorRecord, errorText, exitCodeOf } from './exit-codes.js';
import {
  counts,
  DISTRIBUTED,
  modelOptions,
  port,
  positiveInteger,
  radii,
  radius,
  shard,
  sharedOptions,
} from './options.js';
import { trainOptions } from './train-options.js';

const version = packageVersion();

/** Those whose flags and arguments name what the library has. */
const COMPUTING = new Set(['demo', 'train', 'init', 'evaluate', 'data', 'embed']);

/** Commands are imported when they are called: help and most usage errors need not wait for tfjs. */
export function commandLine(): Command {
  const eatDml = new Command('eat-dml')
    .description('Deep-metric-learning embeddings that stay useful under attack, measured by clustering.')
    .version(version)
    // After a command, --version is that command's own.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(eat-dml --help lists the commands)')
    // What flags may be is in the library's lists, which only the commands that compute need.
    .hook('preSubcommand', async (_, command) => {
      if (COMPUTING.has(command.name())) (await import('./choices.js')).offerChoices(command);
    });
  addDemo(eatDml);
  addTrain(eatDml);
  addInit(eatDml);
  addEvaluate(eatDml);
  addSweep(eatDml);
  addExport(eatDml);
  addScore(eatDml);
  addEmbed(eatDml);
  addData(eatDml);
  eatDml
    .command('doctor')
    .description('what runs here, what does not, and what to do about it')
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (flags) => (await import('./commands/doctor.js')).doctorCommand(flags));
  eatDml
    .command('build')
    .description('build the native addon from the sources in the package (needs a C++ compiler and cmake)')
    .option('--cuda', 'the CUDA addon instead (needs nvcc, of CUDA 12.8 or newer)')
    .option('--mpi', 'the MPI addon instead, for runs of several processes (needs mpicc; EAT_DML_MPICC names one)')
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (flags) => (await import('./commands/build.js')).buildCommand(flags));
  addSetupTensorflow(eatDml);
  eatDml
    .command('completion')
    .description('print what completes commands and flags in a shell (docs/cli.md)')
    .addArgument(new Argument('<shell>', 'whose').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell) => (await import('./commands/completion.js')).completionCommand(shell, eatDml));
  return eatDml;
}

function addSetupTensorflow(eatDml: Command): void {
  eatDml
    .command('setup-tensorflow')
    .description(
      'bring tfjs-node-gpu to life in this project over a libtensorflow of your choice, checked by a training step',
    )
    .option('--gpu', 'a libtensorflow with CUDA')
    .option('--from <source>', 'wheel (of PyPI, by pip), download (of tfjs-node) or a folder with libtensorflow')
    .option('--version <version>', 'of the wheel (default 2.21.0)')
    .option('--dir <project>', 'the project (default: the current folder)')
    .option('--check', 'change nothing; run the training step on what is there')
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (flags: SetupTensorflowFlags) =>
      (await import('./commands/setup-tensorflow.js')).setupTensorflowCommand(flags),
    );
}

function addDemo(eatDml: Command): void {
  const command = eatDml
    .command('demo')
    .description('train standard, at and eat on Fashion-MNIST and compare them by clustering under attack');
  sharedOptions(command)
    .option('--out <folder>', 'where checkpoints and reports go', 'runs/demo')
    .option('--resume', 'go on with the demo that was interrupted')
    .option('--epochs <count>', 'passes over the training images', positiveInteger)
    .option('--per-class <count>', 'images of each class', positiveInteger)
    .action(async (flags: DemoFlags) => (await import('./commands/demo.js')).demoCommand(flags));
}

function addTrain(eatDml: Command): void {
  const command = eatDml.command('train').description('train one method; Ctrl-C saves first');
  trainOptions(command)
    .option('--out <folder>', 'run folder (default runs/<method>)')
    .option('--tensorboard <folder>', 'also write settings, losses, rates and scores there, as TensorBoard reads them')
    .option('--watch [port]', 'serve a page of the training on 127.0.0.1 while it lasts (default any free port)', port)
    .option('--resume', 'go on from the checkpoint in the run folder')
    .option(...DISTRIBUTED)
    .option('--shards <count>', 'pieces of a batch, for the same bits on any number of ranks', positiveInteger)
    .option('--member-groups <count>', 'groups of ranks that share the members out (default 1)', positiveInteger)
    .action(async (flags: TrainFlags) => (await import('./commands/train.js')).trainCommand(flags));
}

/** `eat-dml init`: what its flags say is what `train` would be told by them. */
function addInit(eatDml: Command): void {
  const command = eatDml
    .command('init')
    .description('write a configuration with every key, described and commented out; flags fill theirs in')
    .argument('[file]', 'where', 'eat-dml.jsonc');
  trainOptions(command)
    .option('--force', 'write over a file that is there')
    .action(async (file: string, flags: InitFlags) => (await import('./commands/init.js')).initCommand(file, flags));
}

function addEvaluate(eatDml: Command): void {
  const command = eatDml
    .command('evaluate')
    .description(
      'cluster and search the unseen images of a run, or of a network of any origin, under every attack of a suite',
    )
    .argument('[run]', 'run folder of eat-dml train; or --model');
  measuredOptions(modelOptions(sharedOptions(command)))
    .option('--suite <name>', 'default standard')
    .option(
      '--epsilon <radius>',
      'such as 8/255, in [0, 1] pixel units (default: what was trained against, else 0.1)',
      radius,
    )
    .option('--epsilons <radii>', 'also the worst case at each of these, such as 0,2/255,4/255,8/255', radii)
    .option(
      '--step-counts <list>',
      'also the worst case of attacks with so many steps each, such as 1,5,20,100',
      counts,
    )
    .option('--per-class', 'also show every class by itself')
    .option('--count <images>', 'evaluate this many, drawn at random', positiveInteger)
    .option('--allow-seen', 'measure images and classes that the run was trained on, too')
    .option('--out <file>', 'write the report as JSON')
    .option('--html <file>', 'write the report as a page')
    .option('--report <file>', 'write it as a page with a map of embeddings and with images, gathered meanwhile')
    .option('--points <count>', 'images of that map (default 1000)', positiveInteger)
    .option(...DISTRIBUTED)
    .action(async (run: string | undefined, flags: EvaluateFlags) =>
      (await import('./commands/evaluate.js')).evaluateCommand(run, flags),
    );
}

function addExport(eatDml: Command): void {
  eatDml
    .command('export')
    .description(
      'write the networks of a run as one model that tfjs alone loads, in a browser too, or as weights for PyTorch',
    )
    .argument('<run>', 'run folder of eat-dml train')
    .requiredOption('--out <folder>', 'where model.json and weights.bin go, or member-0.safetensors and so on')
    .addOption(
      new Option('--format <format>', 'layers: a tfjs-layers model; safetensors: weights by PyTorch’s names')
        .choices(['layers', 'safetensors'])
        .default('layers'),
    )
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (run: string, flags: ExportFlags) =>
      (await import('./commands/export.js')).exportCommand(run, flags),
    );
}

function addSweep(eatDml: Command): void {
  eatDml
    .command('sweep')
    .description('train and evaluate every run of a grid that has no result yet; Ctrl-C saves first')
    .argument('<file>', 'JSON file of the grid (docs/cli.md)')
    .option('--shard <i/n>', 'only every n-th run, from the i-th on', shard)
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .action(async (file: string, flags: SweepFlags) => (await import('./commands/sweep.js')).sweepCommand(file, flags));
  eatDml
    .command('table')
    .description('the results of a sweep side by side, mean and deviation over seeds, as Markdown')
    .argument('<folder>', 'the sweep’s out folder')
    .option('--out <file>', 'also write it there')
    .option('--picture <file>', 'write it as a picture, SVG: worst cases with their intervals')
    .option('--against <label>', 'also how far this run is above every other, seed by seed')
    .option('--json', 'the rows as JSON on stdout')
    .action(async (folder: string, flags: TableFlags) =>
      (await import('./commands/table.js')).tableCommand(folder, flags),
    );
  eatDml
    .command('report')
    .description('one page of what was measured: of one run, or of many side by side')
    .argument('<runs...>', 'files of evaluate --out, folders with result.json, or the out folder of a sweep')
    .option('--out <file>', 'the page', 'report.html')
    .option('--json', 'what is on it as JSON on stdout')
    .action(async (runs: string[], flags: ReportFlags) =>
      (await import('./commands/report.js')).reportCommand(runs, flags),
    );
}

/** Runs the command that `args` are, and leaves its exit code in process.exitCode. With --json an error is JSON on stdout, too. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    await commandLine().parseAsync(args, { from: 'user' });
  } catch (error) {
    const usage = error instanceof CommanderError;
    // Commander has printed it; help and --version end here too, with 0.
    if (!usage) process.stderr.write(`eat-dml: ${errorText(error)}\n`);
    const exitCode = usage ? (error.exitCode === 0 ? EXIT.ok : EXIT.usage) : exitCodeOf(error);
    process.exitCode = exitCode;
    // Who interrupts it knows.
    if (exitCode === EXIT.ok || exitCode === EXIT.interrupted || !args.includes('--json')) return;
    process.stdout.write(`${JSON.stringify({ error: { ...errorRecord(error), exitCode } }, null, 2)}\n`);
  }
}
