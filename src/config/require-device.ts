import { EatDmlError } from '../errors.js';
import { devices } from '../kernels/index.js';
import type { Config } from './schema.js';

/**
 * ERR_DEVICE unless `device` is the first that is here: a figure that was meant for one device never comes from another. With cuda the
 * CPU still does what it ends sooner.
 */
export function requireDevice(device: Config['device'] = 'auto'): void {
  if (device === 'auto') return;
  const all = devices();
  const used = all.find(({ available, byNameOnly }) => available && !byNameOnly)!;
  if (used.name === device) return;
  const asked = all.find(({ name }) => name === device)!;
  const why = asked.available ? `${used.name} is there and takes large work` : asked.detail;
  throw new EatDmlError('ERR_DEVICE', `Expected to run on the device ${device} but cannot: ${why.replace(/\.$/, '')}.`);
}
