/** `npm run build:native`: fails where a build fails; without a compiler JavaScript is used, and one line says so. */
import { buildNative, howToGetTools, whyNotBuilt } from './native-addon.mjs';

const result = await buildNative({ write: (chunk) => process.stderr.write(chunk) });
if (result.ok) {
  const { isa, threads } = result.info;
  console.error(`eat-dml: native addon built by ${result.way}: ${result.path} (${isa}, ${threads} threads)`);
} else if (result.failures.length === 0) {
  console.error(`eat-dml: ${whyNotBuilt(result)}; kernels run in JavaScript, slower. ${howToGetTools(result.missing)}`);
} else {
  console.error(`eat-dml: ${whyNotBuilt(result)}; see above.`);
  process.exitCode = 1;
}
