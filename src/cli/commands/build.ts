import { EatDmlError } from '../../errors.js';
import { deviceAddonScript, nativeAddonScript } from '../native-addon.js';
import { printResult } from '../options.js';

/** `eat-dml build`: the native addon from the sources in the package, into the package, checked by loading it. */
export async function buildCommand({ json, cuda }: { json?: boolean; cuda?: boolean }): Promise<void> {
  if (cuda) return buildCuda(json);
  const { buildNative, howToGetTools, whyNotBuilt } = await nativeAddonScript();
  const result = await buildNative({ write: (chunk) => process.stderr.write(chunk) });
  if (!result.ok) {
    const hint = result.failures.length > 0 ? 'Its output is above.' : howToGetTools(result.missing);
    throw new EatDmlError('ERR_BUILD', `${whyNotBuilt(result)}; kernels run in JavaScript.`, { hint });
  }
  const { way, path, info } = result;
  const text = `Built by ${way} and loaded: ${path} (${info!.isa}, ${info!.threads} threads)`;
  printResult(json, { command: 'build', way, path, ...info }, text);
}

/** `eat-dml build --cuda`: the CUDA addon, for every architecture; that it does not run here is told, and no failure. */
async function buildCuda(json: boolean | undefined): Promise<void> {
  const { buildDevice } = await deviceAddonScript();
  const result = await buildDevice('cuda', { write: (chunk) => process.stderr.write(chunk) });
  if (!result.ok) {
    const missing = result.missing.length > 0;
    const why = missing ? `${result.missing.join(' and ')} missing` : 'its build failed';
    const hint = missing ? `Install ${result.missing.join(' and ')}, then build again.` : 'Its output is above.';
    throw new EatDmlError('ERR_BUILD', `the CUDA addon is not built, ${why}; kernels run on the CPU.`, { hint });
  }
  const { path, info } = result;
  const runs = info ? `it runs on ${info.isa}` : 'it does not run here; npx eat-dml doctor says why';
  printResult(
    json,
    { command: 'build', way: 'cmake-js', path, device: 'cuda', runs: info !== undefined },
    `Built: ${path}; ${runs}`,
  );
}
