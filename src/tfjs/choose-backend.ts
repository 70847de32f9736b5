import { z } from 'zod';
import * as tf from '#tf';
import { checkEnvironment } from '../environment.js';
import { EatDmlError } from '../errors.js';
import { cpuDevice } from '../kernels/devices.js';
import { forbidWinograd } from '../kernels/forbid-winograd.js';
import { parseOptions } from '../options.js';
import { backendInUse, type ChosenBackend, inTurn, runJob } from './backend-jobs.js';
import { registerNativeBackend } from './native/register.js';
import { quiet } from './quiet.js';
import { gpuMayExist, probeTensorflow } from './tensorflow-backend.js';
import { registerWasmBackend, startWasmBackend } from './wasm/backend.js';
import { fetchVariables, startWebgpuBackend } from './webgpu/backend.js';
import { cardMayExist, probeWebgpuBackend } from './webgpu/probe.js';

const backendName = z.enum(['tensorflow', 'webgpu', 'native', 'wasm', 'cpu']);

/** A tfjs backend that networks run on. */
export type BackendName = z.infer<typeof backendName>;

/** A backend by its name, or the first there is, as a schema. */
export const backendChoice = z.enum(['auto', ...backendName.options]);

/** A tfjs backend: whether it is there, and why not. */
export interface BackendStatus {
  name: BackendName;
  available: boolean;
  /** What it runs on, or why it is not there. */
  detail: string;
  /** What the user can do to get it. */
  remedy?: string;
  /** True for the one that `auto` takes. */
  auto?: true;
}

interface Probe extends BackendStatus {
  gpu?: boolean;
}

const names = backendName.options;

const options = z.strictObject({
  backend: backendChoice.default('auto'),
  winograd: z
    .boolean()
    .default(true)
    .describe('false: convolutions of `native` by direct products alone, in this process; before its first one'),
});

const probes: Record<BackendName, () => Promise<Probe>> = {
  async tensorflow() {
    const probe = await probeTensorflow();
    const remedy = 'npx eat-dml setup-tensorflow (--gpu for one with CUDA)';
    return { name: 'tensorflow', ...probe, ...(probe.available ? {} : { remedy }) };
  },
  async webgpu() {
    return { name: 'webgpu', ...(await probeWebgpuBackend()) };
  },
  async native() {
    const cpu = cpuDevice();
    if (!cpu.available) {
      return {
        name: 'native',
        available: false,
        detail: cpu.detail,
        remedy: 'npx eat-dml build (needs a C++ compiler)',
      };
    }
    registerNativeBackend();
    return { name: 'native', available: true, detail: cpu.detail };
  },
  async wasm() {
    await registerWasmBackend();
    return { name: 'wasm', available: true, detail: 'WebAssembly with SIMD, one thread' };
  },
  async cpu() {
    quiet(tf.findBackend('cpu'));
    return { name: 'cpu', available: true, detail: 'plain JavaScript' };
  },
};

const known = new Map<BackendName, Promise<Probe>>();

/** One attempt per process; a failure is a result, kept for the report. */
function probe(name: BackendName): Promise<Probe> {
  const failed = (error: unknown): Probe => ({ name, available: false, detail: (error as Error).message });
  if (!known.has(name)) known.set(name, probes[name]().catch(failed));
  return known.get(name)!;
}

/**
 * Sets the tfjs backend that networks run on, and says which and why. `auto` (the default) takes the first there is of:
 * tensorflow on a GPU (looked for where the system has one), webgpu on a graphics card (likewise), native, tensorflow on the CPU, wasm,
 * cpu; while a job (`train`, `evaluate`, `embed`) runs, the one that it runs on. A backend asked for by name that is not there, or is another than that of
 * a job that runs, throws `ERR_BACKEND`. `winograd: false` keeps convolutions on `native` to direct products, whose rounding errors are
 * a third to a half; after the first convolution it is too late, and throws `ERR_ARGUMENT`.
 *
 * @example
 * ```ts
 * import { chooseBackend } from 'eat-dml';
 *
 * const { name, reason } = await chooseBackend({ backend: 'auto' });
 * console.log(name, reason);
 * ```
 */
export async function chooseBackend(
  given: z.input<typeof options> = {},
): Promise<{ name: BackendName; reason: string }> {
  const { backend, winograd } = parseOptions(options, given);
  checkEnvironment();
  if (!winograd && !forbidWinograd()) {
    throw new EatDmlError(
      'ERR_ARGUMENT',
      'Expected winograd: false before the first convolution of this process but received it after one.',
      { hint: 'Call chooseBackend first, or set EAT_DML_WINOGRAD=off.' },
    );
  }
  const chosen = await inTurn(async () => backendInUse(backend) ?? (await choose(backend)));
  return chosen as { name: BackendName; reason: string };
}

function choose(backend: BackendName | 'auto'): Promise<ChosenBackend> {
  return backend === 'auto' ? chooseAutomatically() : chooseByName(backend);
}

/** Runs `work` on `backend`; no other can be chosen meanwhile. Errors as {@link chooseBackend}. */
export function onBackend<T>(backend: BackendName | 'auto', work: (backend: ChosenBackend) => Promise<T>): Promise<T> {
  return runJob(backend, () => choose(backend), work);
}

/** {@link onBackend} on the one that tfjs has. */
export function onPresentBackend<T>(work: () => Promise<T>): Promise<T> {
  return runJob('auto', presentBackend, work);
}

async function presentBackend(): Promise<ChosenBackend> {
  await tf.ready();
  return { name: tf.getBackend(), reason: 'the one that tfjs had' };
}

async function chooseByName(name: BackendName): Promise<{ name: BackendName; reason: string }> {
  const { available, detail, remedy } = await probe(name);
  const problem = available ? await activate(name) : detail;
  if (problem !== undefined) {
    throw new EatDmlError('ERR_BACKEND', `The backend '${name}' is not available: ${problem.replace(/\.$/, '')}.`, {
      hint: remedy,
    });
  }
  return { name, reason: `asked for; ${detail}` };
}

type Candidate = [name: BackendName, wanted: (probe: Probe) => boolean];

/** What `auto` tries, in order. libtensorflow is large: where no GPU can be, it is not loaded only to be passed over. */
function candidates(): Candidate[] {
  const isGpu = ({ gpu }: Probe) => gpu === true;
  const onGpu: Candidate[] = [];
  if (gpuMayExist()) onGpu.push(['tensorflow', isGpu]);
  if (cardMayExist()) onGpu.push(['webgpu', isGpu]);
  const others = (['native', 'tensorflow', 'wasm', 'cpu'] as const).map((name): Candidate => [name, () => true]);
  return [...onGpu, ...others];
}

async function chooseAutomatically(): Promise<{ name: BackendName; reason: string }> {
  const passedOver: string[] = [];
  for (const [name, wanted] of candidates()) {
    const found = await probe(name);
    if (found.available && !wanted(found)) continue;
    const problem = found.available ? await activate(name) : found.detail;
    if (problem === undefined) return { name, reason: [found.detail, ...passedOver].join('; ') };
    const note = `no ${name}: ${problem}`;
    if (!passedOver.includes(note)) passedOver.push(note);
  }
  throw new EatDmlError('ERR_BACKEND', `No tfjs backend could be started: ${passedOver.join('; ')}.`);
}

/** What takes more than tf.setBackend. */
const starts: Partial<Record<BackendName, () => Promise<boolean>>> = {
  wasm: startWasmBackend,
  webgpu: startWebgpuBackend,
};

/** Makes it tfjs's backend; says what went wrong, if anything. */
async function activate(name: BackendName): Promise<string | undefined> {
  try {
    if (tf.getBackend() === 'webgpu' && name !== 'webgpu') await fetchVariables();
    const started = await (starts[name]?.() ?? tf.setBackend(name));
    return started ? undefined : 'tfjs could not start it';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Every backend: whether it is there, on what it runs or why not, and the remedy. Leaves tfjs's backend as it was. */
export function backendReport(): Promise<BackendStatus[]> {
  return inTurn(report);
}

async function report(): Promise<BackendStatus[]> {
  const before = tf.engine().backendName;
  const found = new Map<BackendName, Probe>();
  for (const name of names) found.set(name, await probe(name));
  const [chosen] = candidates().find(([name, wanted]) => found.get(name)!.available && wanted(found.get(name)!))!;
  const statuses = [...found].map(([name, { available, detail, remedy }]): BackendStatus => {
    return { name, available, detail, ...(remedy ? { remedy } : {}), ...(name === chosen ? { auto: true } : {}) };
  });
  if (before && tf.engine().backendName !== before) await tf.setBackend(before);
  return statuses;
}
