/** `npm run build:mpi`: fails where a build fails; without an MPI to build against one line says so, and it passes. */
import { buildDevice } from './device-addon.mjs';

const say = (line) => console.error(`eat-dml: ${line}`);
const { ok, path, missing, info, failure } = await buildDevice('mpi', {
  write: (chunk) => process.stderr.write(chunk),
});
if (missing.length > 0) {
  say(`the MPI addon is not built: ${missing.join(' and ')} missing; runs stay on one process each`);
} else if (!ok || !info) {
  say(ok ? `the MPI addon does not load: ${failure.trim()}` : 'the MPI addon failed to build; see above');
  process.exitCode = 1;
} else {
  say(`MPI addon built: ${path} (${info.library})`);
}
