import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian, or the variable, has one. None is ever fetched. */
const PATHS = [process.env.EAT_DML_TEST_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];

export const CHROMIUM = PATHS.find((path) => path !== undefined && path !== '' && existsSync(path));

/** Why tests of pages are not run here. */
export const NO_CHROMIUM = 'no chromium at /usr/bin/chromium; EAT_DML_TEST_CHROMIUM names another';

const QUIET = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** A browser without a window, with a profile of its own that goes when it is closed. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: QUIET });
}
