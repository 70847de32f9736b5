import { resolve } from 'node:path';
import { EatDmlError } from '../../errors.js';
import { printResult } from '../options.js';
import { buildBinding } from '../tensorflow/binding.js';
import { checkTensorflow, type TensorflowCheck } from '../tensorflow/check.js';
import { type LibrarySource, placeLibrary } from '../tensorflow/library.js';
import { isSetUp, nodePackage, recordSetUp, replacing } from '../tensorflow/project.js';
import { runTool, type ToolOptions } from '../tensorflow/run-tool.js';

export interface SetupTensorflowFlags {
  json?: boolean;
  gpu?: boolean;
  from?: string;
  version?: string;
  dir?: string;
  check?: boolean;
}

const VERSION = '2.21.0';

/**
 * `eat-dml setup-tensorflow`: tfjs-node-gpu (or tfjs-node) in the user's project over a libtensorflow of choice, checked by
 * a training step in a child process. What fails leaves the project as it was.
 */
export async function setupTensorflowCommand(flags: SetupTensorflowFlags): Promise<void> {
  const project = resolve(flags.dir ?? '.');
  if (flags.check) {
    process.env.EAT_DML_TENSORFLOW_DIR ??= project;
    const check = await checkTensorflow();
    printResult(flags.json, { command: 'setup-tensorflow', check }, checkText(check));
    return;
  }
  const source = sourceOf(flags);
  const tool: ToolOptions = { cwd: project, write: (chunk) => process.stderr.write(chunk) };
  const target = await nodePackage(project, tool);
  const again = !target.installed && (await isSetUp(target.folder, source));
  let check: TensorflowCheck | undefined = again ? await checkInChild(project).catch(() => undefined) : undefined;
  const did = check ? 'was set up before; nothing was changed' : 'set up';
  if (!check) {
    await replacing(target, project, tool, async () => {
      await placeLibrary(target.folder, source, tool);
      if (source.from !== 'download') await buildBinding(target.folder, tool);
      check = await checkInChild(project);
      await recordSetUp(target.folder, source);
    });
  }
  const { name, folder } = target;
  const saved = 'It is not in your package.json: its install script downloads. After `npm ci` run this again.';
  const text = [`${name} ${did}: ${folder}`, checkText(check!), ...(target.installed ? [saved] : [])].join('\n');
  printResult(flags.json, { command: 'setup-tensorflow', did, package: name, folder, ...source, check }, text);
}

function sourceOf({ from = process.platform === 'linux' ? 'wheel' : 'download', ...flags }: SetupTensorflowFlags) {
  if (from === 'download' && flags.version !== undefined) {
    throw new EatDmlError('ERR_ARGUMENT', 'Expected no --version with --from download: tfjs-node brings its own, 2.9.');
  }
  const named = from === 'wheel' || from === 'download';
  const source: LibrarySource = {
    from: named ? from : resolve(from),
    version: from === 'wheel' ? (flags.version ?? VERSION) : '',
    gpu: flags.gpu ?? false,
  };
  return source;
}

/** A binding that does not fit its library takes the process down with it, so it is not this one. */
async function checkInChild(project: string): Promise<TensorflowCheck> {
  const args = [...process.execArgv, process.argv[1], 'setup-tensorflow', '--check', '--json'];
  const env = { EAT_DML_TENSORFLOW_DIR: project, TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '2' };
  const stdout = await runTool(process.execPath, args, { cwd: project, env });
  return JSON.parse(stdout).check;
}

function checkText({ detail, loss, ops }: TensorflowCheck): string {
  return `A training step ran: ${detail}; loss ${loss.toFixed(3)}; attack steps by ${ops}`;
}
