import { EatDmlError } from '../errors.js';
import { devices } from '../kernels/index.js';
import type { Config } from './config.js';

/** ERR_DEVICE unless kernels run on `device` here: a figure that was meant for one device never comes from another. */
export function requireDevice(device: Config['device'] = 'auto'): void {
  if (device === 'auto') return;
  const all = devices();
  const used = all.find(({ available, byNameOnly }) => available && !byNameOnly)!;
  if (used.name === device) return;
  const asked = all.find(({ name }) => name === device)!;
  const why = asked.available ? `kernels run on ${used.name}, which is there and faster` : asked.detail;
  throw new EatDmlError('ERR_DEVICE', `Expected to run on the device ${device} but cannot: ${why}.`);
}
