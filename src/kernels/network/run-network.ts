import { EatDmlError } from '../../errors.js';
import { loadAddon } from '../load-addon.js';
import { type AddonCall, runOnAddon } from '../run-kernel.js';

/** A checked call of a network kernel. */
export type NetworkCall<Args extends object, Result> = AddonCall<Args, Result>;

/** How a checked call is run: {@link runNative}. A test gives the kernel's oracle instead. */
export type NetworkRun = <Args extends object, Result>(call: NetworkCall<Args, Result>) => Result;

/** On the CPU addon, at once: the native tfjs backend, which alone calls these kernels, is there where the addon is. */
export const runNative: NetworkRun = (call) => {
  const addon = loadAddon();
  if (!addon) throw new EatDmlError('ERR_DEVICE', `Expected the native addon for ${call.kernel} but there is none.`);
  return runOnAddon(addon, call);
};
