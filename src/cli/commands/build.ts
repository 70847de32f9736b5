import { EatDmlError } from '../../errors.js';
import { nativeAddonScript } from '../native-addon.js';
import { printResult } from '../options.js';

/** `eat-dml build`: the native addon from the sources in the package, into the package, checked by loading it. */
export async function buildCommand({ json }: { json?: boolean }): Promise<void> {
  const { buildNative, howToGetTools, whyNotBuilt } = await nativeAddonScript();
  const result = await buildNative({ write: (chunk) => process.stderr.write(chunk) });
  if (!result.ok) {
    const hint = result.failures.length > 0 ? 'Its output is above.' : howToGetTools();
    throw new EatDmlError('ERR_BUILD', `${whyNotBuilt(result)}; kernels run in JavaScript.`, { hint });
  }
  const { way, path, info } = result;
  const text = `Built by ${way} and loaded: ${path} (${info!.isa}, ${info!.threads} threads)`;
  printResult(json, { command: 'build', way, path, ...info }, text);
}
