import { access, constants, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultCacheDir } from '../../cache-folder.js';
import { readCache } from '../../data/cache.js';
import { fashionMnistCache } from '../../data/sets/fashion-mnist.js';
import { locateFashionMnist } from '../../data/sets/fashion-mnist-package.js';
import { environmentProblems } from '../../environment.js';
import { EatDmlError } from '../../errors.js';
import { decodesJpeg } from '../../kernels/decode-jpeg.js';
import { type DeviceInfo, devices } from '../../kernels/index.js';
import { type LoadAttempt, loadAttempts } from '../../kernels/load-addon.js';
import { type BackendStatus, backendReport } from '../../tfjs/index.js';
import { packageVersion } from '../../version.js';
import { EXIT } from '../exit-codes.js';
import { nativeAddonScript } from '../native-addon.js';
import { printResult } from '../options.js';
import { type CudaDiagnosis, cudaText, diagnoseCuda } from './doctor-cuda.js';
import { diagnoseMpi, type MpiDiagnosis, mpiText } from './doctor-mpi.js';

interface Diagnosis {
  version: string;
  node: { version: string; platform: string };
  devices: DeviceInfo[];
  attempts: (LoadAttempt & { remedy?: string })[];
  cuda: CudaDiagnosis;
  mpi: MpiDiagnosis;
  backends: BackendStatus[];
  data: { cacheDir: string; writable: boolean; fashionMnist: string; jpeg: string };
  tools: Record<string, string | undefined>;
  /** What is wrong, not merely absent. */
  problems: string[];
}

/** `eat-dml doctor`: what there is, what is missing, and what to do about it. Ends with 3 where something is broken. */
export async function doctorCommand({ json }: { json?: boolean }): Promise<void> {
  const diagnosis = await diagnose();
  printResult(json, { command: 'doctor', ...diagnosis }, doctorText(diagnosis));
  if (diagnosis.problems.length > 0) process.exitCode = EXIT.environment;
}

async function diagnose(): Promise<Diagnosis> {
  const version = packageVersion();
  const { buildPlan, buildTools } = await nativeAddonScript();
  const native = nativeState(buildPlan().missing);
  const mpi = await diagnoseMpi();
  const broken = [...native.attempts, ...mpi.attempts].filter(({ found, failure }) => found && failure !== undefined);
  return {
    version,
    node: { version: process.versions.node, platform: `${process.platform}-${process.arch}` },
    devices: native.devices,
    attempts: native.attempts,
    cuda: await diagnoseCuda(),
    mpi,
    backends: await backendReport(),
    data: await dataState(native.problems.length === 0),
    tools: buildTools(),
    problems: [...native.problems, ...broken.map(({ path, failure }) => `${path} does not load: ${failure}`)],
  };
}

/** A variable that is set to what it may not be throws wherever the addon is asked for; here it is a line. */
function nativeState(missing: readonly string[]): Pick<Diagnosis, 'devices' | 'attempts' | 'problems'> {
  try {
    const found = devices();
    return { devices: found, attempts: withRemedies(loadAttempts(), missing), problems: [] };
  } catch (error) {
    if (!(error instanceof EatDmlError)) throw error;
    const all = environmentProblems();
    const problems = (all.length > 0 ? all : [error]).map(({ message, hint }) => `${message} ${hint}`);
    return { devices: [], attempts: [], problems };
  }
}

/** What is merely not there needs no remedy where another one loaded, unless it was asked for by its path. */
function withRemedies(attempts: readonly LoadAttempt[], missing: readonly string[]) {
  const loaded = attempts.some(({ failure }) => failure === undefined);
  return attempts.map((attempt) => {
    const remedy = remedyOf(attempt, loaded, missing);
    return remedy === undefined ? attempt : { ...attempt, remedy };
  });
}

/** What to do about an attempt; of the tools, only what is missing has to be installed. */
function remedyOf({ failure, found, from }: LoadAttempt, loaded: boolean, missing: readonly string[]) {
  if (failure === undefined) return undefined;
  if (from === 'EAT_DML_NATIVE_PATH' && !found) return 'unset it, or name a built eat_dml.node';
  if (!found && (loaded || from === 'platform package')) return undefined;
  const build = 'npx eat-dml build (in a checkout: npm run build:native)';
  const first = missing.length > 0 ? `install ${missing.join(' and ')}, then ${build}` : build;
  return found ? `it does not fit this system; build it here: ${first}` : first;
}

/** `addon`: whether it could be loaded. */
async function dataState(addon: boolean): Promise<Diagnosis['data']> {
  const cacheDir = defaultCacheDir();
  const writable = await isWritable(cacheDir);
  return { cacheDir, writable, fashionMnist: await fashionMnistState(cacheDir), jpeg: jpegDecoder(addon) };
}

function jpegDecoder(there: boolean): string {
  if (there && decodesJpeg()) return 'libjpeg-turbo of this system';
  return 'sharp; with the native addon and libturbojpeg (Debian: libturbojpeg0) in half the time';
}

async function fashionMnistState(cacheDir: string): Promise<string> {
  try {
    const source = await locateFashionMnist([import.meta.url, join(process.cwd(), '/')]);
    const kept = await readCache(fashionMnistCache(cacheDir, source)).then(
      (data) => (data ? 'cached' : 'not parsed yet (once, some seconds)'),
      ({ message }: Error) => `cached, but damaged (it is made anew when it is read next): ${message}`,
    );
    return `${source.version}, ${kept}`;
  } catch (error) {
    if (!(error instanceof EatDmlError)) throw error;
    return `${error.message} ${error.hint}`;
  }
}

/** Whether files could be written there, now or after making the folder. */
async function isWritable(folder: string): Promise<boolean> {
  let existing = folder;
  while (!(await exists(existing)) && dirname(existing) !== existing) existing = dirname(existing);
  const isFolder = (await stat(existing)).isDirectory();
  return access(existing, constants.W_OK).then(
    () => isFolder,
    () => false,
  );
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function doctorText(d: Diagnosis): string {
  const mark = (ok: boolean) => (ok ? 'yes' : 'no ');
  return [
    `eat-dml ${d.version}, Node ${d.node.version}, ${d.node.platform}`,
    '',
    'Devices (kernels)',
    ...d.devices.map(({ name, available, detail }) => `  ${mark(available)}  ${name.padEnd(5)} ${detail}`),
    '',
    'Native addon, in the order looked for',
    ...d.attempts.flatMap(attemptText),
    '',
    'CUDA, step by step',
    ...cudaText(d.cuda),
    '',
    'MPI (several processes)',
    mpiText(d.mpi),
    '',
    'tfjs backends (networks)',
    ...d.backends.flatMap(({ name, available, detail, remedy, auto }) => [
      `  ${mark(available)}  ${name.padEnd(11)} ${detail}${auto ? ' (what auto takes)' : ''}`,
      ...(remedy ? [`       -> ${remedy}`] : []),
    ]),
    '',
    'Data',
    `  cache          ${d.data.cacheDir}${d.data.writable ? '' : ' (not writable: set EAT_DML_CACHE to a folder that is)'}`,
    `  fashion-mnist  ${d.data.fashionMnist}`,
    `  jpeg           ${d.data.jpeg}`,
    '',
    'Build tools',
    ...Object.entries(d.tools).map(([tool, path]) => `  ${tool.padEnd(9)} ${path ?? 'not on PATH'}`),
    '',
    d.problems.length > 0 ? `Problems:\n${d.problems.map((p) => `  ${p}`).join('\n')}` : 'No problems.',
  ].join('\n');
}

function attemptText({ path, from, failure, remedy }: Diagnosis['attempts'][number]): string[] {
  const where = from === 'EAT_DML_NATIVE_PATH' ? `${path} (${from})` : path;
  return [`  ${where}: ${failure ?? 'ok'}`, ...(remedy ? [`    -> ${remedy}`] : [])];
}
