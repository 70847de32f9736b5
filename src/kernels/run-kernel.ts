import { aborted, EatDmlError, throwIfAborted } from '../errors.js';
import { checkApart, claimOutputs, isFresh, withInputs } from './call-memory.js';
import { resolveDevice, takesWebgpu } from './devices.js';
import type { Addon, AddonKernel, AddonTask } from './load-addon.js';
import { type AsyncKernelOptions, checkFinite, type Matrix, notFinite, outsideBox } from './matrix.js';
import { copyOf, viewOf } from './typed-arrays.js';
import { runWebgpuKernel, webgpuOpens } from './webgpu/kernels.js';

/** A plain-loop kernel: does its work in slices, yielding between them so that an asynchronous call can be aborted. */
export type ReferenceKernel<Args> = (args: Args) => Generator<void>;

/** A checked call of the addon: the kernel's name there, the arguments that it reads, and what to return. */
export interface AddonCall<Args extends object, Result = unknown> {
  kernel: string;
  /** As readOptions gave them: nothing of the caller's is asked twice. */
  options: object;
  args: Args & { checkFinite?: boolean; fresh?: boolean };
  /** The input matrices by argument name, to say what and where a bad value is. */
  inputs?: Record<string, Matrix>;
  /** What to return, made of arrays of `args`; they hold their values once the call has run. */
  result: () => Result;
  /** Inputs that may lie where a result goes: the kernel reads each of their values before it writes there. */
  inPlace?: readonly string[];
  /** What callers call arguments that have another name here. */
  names?: Record<string, string>;
}

/** One that runs on any device, at once or off the event loop. */
export interface KernelCall<Args extends object, Result = unknown> extends AddonCall<Args, Result> {
  options: AsyncKernelOptions;
  reference: ReferenceKernel<Args>;
  inputs: Record<string, Matrix>;
}

/** Runs on the chosen device, now. */
export function runSync<Args extends object, Result>(given: KernelCall<Args, Result>): Result {
  const addon = resolveDevice(given.options.device, given.kernel, given.args);
  if (addon) return runOnAddon(addon, given);
  prepare(given);
  const call = withInputs(given, viewOf);
  try {
    for (const _ of reference(call));
    return call.result();
  } catch (error) {
    throw translate(error, call);
  }
}

/** Runs on this addon, now. */
export function runOnAddon<Args extends object, Result>(addon: Addon, call: AddonCall<Args, Result>): Result {
  prepare(call);
  try {
    (addon[call.kernel] as AddonKernel)(call.args, false);
    return call.result();
  } catch (error) {
    throw translate(error, call);
  }
}

/** Runs off the event loop (native, webgpu), or in slices on it (js); stops when `options.signal` is aborted. */
export async function runAsync<Args extends object, Result>(given: KernelCall<Args, Result>): Promise<Result> {
  const { signal, device } = given.options;
  throwIfAborted(signal);
  const onWebgpu = takesWebgpu(device, given.kernel, given.args);
  const addon = onWebgpu ? undefined : resolveDevice(device, given.kernel, given.args);
  prepare(given);
  const writeBack = claimOutputs(given);
  // What runs between turns of the event loop does so on arrays of its own. The addon makes its copies itself.
  const call = addon ? given : withInputs(given, copyOf);
  try {
    if (onWebgpu && (device === 'webgpu' || (await webgpuOpens()))) {
      await runWebgpuKernel(call.kernel, call.args, signal);
    } else {
      const next = onWebgpu ? resolveDevice(device, given.kernel, given.args) : addon;
      if (next) await runTask(next[call.kernel] as AddonKernel, call.args, signal);
      else await runSlices(reference(call), signal);
    }
    writeBack();
    return call.result();
  } catch (error) {
    throw translate(error, call, signal);
  }
}

function prepare<Args extends object>(call: AddonCall<Args>): void {
  call.args.checkFinite = (call.options as AsyncKernelOptions).checkFinite ?? true;
  call.args.fresh = isFresh(call);
  if (!call.args.fresh) checkApart(call);
}

const { addEventListener, removeEventListener } = EventTarget.prototype;

async function runTask(kernel: AddonKernel, args: object, signal: AbortSignal | undefined): Promise<void> {
  let task: AddonTask | undefined;
  const cancel = () => task?.cancel();
  // First, since once the task runs its promise must be awaited; by the methods that every signal has.
  if (signal) addEventListener.call(signal, 'abort', cancel, { once: true });
  try {
    task = kernel(args, true) as AddonTask;
    await task.promise;
  } finally {
    if (signal) removeEventListener.call(signal, 'abort', cancel);
  }
}

/** Gives the event loop a turn every 10 ms. */
async function runSlices(slices: Generator<void>, signal: AbortSignal | undefined): Promise<void> {
  let turn = performance.now();
  for (const _ of slices) {
    if (performance.now() - turn < 10) continue;
    await new Promise((resolve) => setImmediate(resolve));
    throwIfAborted(signal);
    turn = performance.now();
  }
}

function* reference<Args extends object>(call: KernelCall<Args>): Generator<void> {
  if (call.args.checkFinite) {
    for (const [name, matrix] of Object.entries(call.inputs)) {
      checkFinite(name, matrix);
      yield;
    }
  }
  yield* call.reference(call.args);
}

interface NativeError extends Error {
  kind?: 'notFinite' | 'outsideBox' | 'cancelled' | 'memory' | 'other';
  argument?: string;
  row?: number;
}

/** The value that the addon met there; undefined where the caller has changed or detached the data since. */
function badValue({ data, cols }: Matrix, row: number): number | undefined {
  for (let i = row * cols; i < (row + 1) * cols; i++) if (!Number.isFinite(data[i])) return data[i];
  return undefined;
}

/** The addon's errors in this package's words. */
export function translate(
  error: unknown,
  call: Pick<AddonCall<object>, 'kernel' | 'inputs'>,
  signal?: AbortSignal,
): unknown {
  const { kind, argument = '', row = 0, message } = error as NativeError;
  const matrix = call.inputs?.[argument];
  if (kind === 'notFinite' && matrix) return notFinite(argument, matrix, row, badValue(matrix, row));
  if (kind === 'outsideBox') return outsideBox(argument, row);
  if (kind === 'cancelled' && signal) return aborted(signal);
  if (kind === 'memory')
    return new EatDmlError('ERR_DEVICE', `Not enough memory for ${call.kernel}.`, { cause: error });
  if (kind !== undefined) return new EatDmlError('ERR_DEVICE', message, { cause: error });
  return error;
}
