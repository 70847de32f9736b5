import { aborted, checkSignal, EatDmlError, throwIfAborted } from '../errors.js';
import { checkApart, claimOutputs, isFresh, withOwnInputs } from './call-memory.js';
import { resolveDevice } from './devices.js';
import type { AddonKernel, AddonTask } from './load-addon.js';
import {
  type AsyncKernelOptions,
  checkFinite,
  type KernelOptions,
  type Matrix,
  notFinite,
  outsideBox,
} from './matrix.js';

/** A plain-loop kernel: does its work in slices, yielding between them so that an asynchronous call can be aborted. */
export type ReferenceKernel<Args> = (args: Args) => Generator<void>;

/** A checked call: its name in the addon, the arguments both devices read, what to name in an error, and what to return. */
export interface KernelCall<Args extends object, Result = unknown> {
  kernel: string;
  args: Args & { checkFinite?: boolean; fresh?: boolean };
  reference: ReferenceKernel<Args>;
  /** The input matrices by argument name, to say what and where a bad value is. */
  inputs: Record<string, Matrix>;
  /** What to return, made of arrays of `args`; they hold their values once the call has run. */
  result: () => Result;
  /** Inputs that may lie where a result goes: the kernel reads each of their values before it writes there. */
  inPlace?: readonly string[];
}

/** Runs on the chosen device, now. */
export function runSync<Args extends object, Result>(call: KernelCall<Args, Result>, options: KernelOptions): Result {
  const addon = resolveDevice(options.device, call.kernel, call.args);
  prepare(call, options);
  try {
    if (addon) (addon[call.kernel] as AddonKernel)(call.args, false);
    else for (const _ of reference(call));
    return call.result();
  } catch (error) {
    throw translate(error, call);
  }
}

/** Runs off the event loop (native), or in slices on it (js); stops when `options.signal` is aborted. */
export async function runAsync<Args extends object, Result>(
  given: KernelCall<Args, Result>,
  options: AsyncKernelOptions,
): Promise<Result> {
  const { signal } = options;
  checkSignal(signal);
  throwIfAborted(signal);
  const addon = resolveDevice(options.device, given.kernel, given.args);
  prepare(given, options);
  const writeBack = claimOutputs(given, options);
  const call = addon ? given : withOwnInputs(given);
  try {
    if (addon) await runTask(addon[call.kernel] as AddonKernel, call.args, signal);
    else await runSlices(reference(call), signal);
    writeBack();
    return call.result();
  } catch (error) {
    throw translate(error, call, signal);
  }
}

function prepare<Args extends object>(call: KernelCall<Args>, options: KernelOptions): void {
  call.args.checkFinite = options.checkFinite ?? true;
  call.args.fresh = isFresh(call, options);
  if (!call.args.fresh) checkApart(call);
}

async function runTask(kernel: AddonKernel, args: object, signal: AbortSignal | undefined): Promise<void> {
  const task = kernel(args, true) as AddonTask;
  const cancel = () => task.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    await task.promise;
  } finally {
    signal?.removeEventListener('abort', cancel);
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

/** The addon's errors in this package's words. */
export function translate(
  error: unknown,
  call: Pick<KernelCall<object>, 'kernel' | 'inputs'>,
  signal?: AbortSignal,
): unknown {
  const { kind, argument = '', row = 0, message } = error as NativeError;
  const matrix = call.inputs[argument];
  if (kind === 'notFinite') {
    const value = matrix.data.subarray(row * matrix.cols, (row + 1) * matrix.cols).find((x) => !Number.isFinite(x));
    return notFinite(argument, matrix, row, value ?? Number.NaN);
  }
  if (kind === 'outsideBox') return outsideBox(argument, row);
  if (kind === 'cancelled' && signal) return aborted(signal);
  if (kind === 'memory')
    return new EatDmlError('ERR_DEVICE', `Not enough memory for ${call.kernel}.`, { cause: error });
  if (kind !== undefined) return new EatDmlError('ERR_DEVICE', message, { cause: error });
  return error;
}
