import { loadAddon } from './load-addon.js';

/**
 * Convolutions of this process by direct products alone. False where one has gone by Winograd already: the choice is made once.
 * True without the addon.
 */
export function forbidWinograd(): boolean {
  const addon = loadAddon() as { forbidWinograd?(): boolean } | undefined;
  return addon?.forbidWinograd?.() ?? true;
}
