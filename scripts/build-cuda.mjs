/**
 * `npm run build:cuda`. EAT_DML_CUDA=AUTO (default) builds where there is a CUDA compiler and else says so and passes; ON fails
 * without one; OFF does nothing.
 */
import { buildDevice } from './device-addon.mjs';

const say = (line) => console.error(`eat-dml: ${line}`);
const mode = (process.env.EAT_DML_CUDA || 'AUTO').toUpperCase();
if (!['AUTO', 'ON', 'OFF'].includes(mode)) {
  say(`Expected AUTO, ON or OFF in EAT_DML_CUDA but received ${process.env.EAT_DML_CUDA}.`);
  process.exit(2);
}
if (mode === 'OFF') {
  say('the CUDA addon is not built: EAT_DML_CUDA is OFF');
  process.exit(0);
}

const { ok, path, missing, info, failure } = await buildDevice('cuda', {
  write: (chunk) => process.stderr.write(chunk),
});
if (missing.length > 0) {
  say(`the CUDA addon is not built: ${missing.join(' and ')} missing; kernels run on the CPU`);
  process.exitCode = mode === 'ON' ? 1 : 0;
} else if (!ok) {
  say('the CUDA addon failed to build; see above');
  process.exitCode = 1;
} else {
  say(`CUDA addon built: ${path}`);
  say(
    info ? `it runs on ${info.isa}` : `it does not run here: ${failure.match(/^.*Error: .*$/m)?.[0] ?? failure.trim()}`,
  );
}
