import { homedir } from 'node:os';
import { join } from 'node:path';
import { variable } from './environment.js';

/** Where what is made once is kept unless told otherwise: parsed data sets, and which addons were seen to run. */
export function defaultCacheDir(): string {
  return variable('EAT_DML_CACHE') ?? join(homedir(), '.cache', 'eat-dml');
}
