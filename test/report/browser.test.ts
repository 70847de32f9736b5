import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportHtml } from '../../src/report/index.js';
import { fewOf, LONG } from '../long.js';
import { CHROMIUM, NO_CHROMIUM, openChromium } from './chromium.js';
import { pagesOfTests } from './pages.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-pages-'));
afterAll(() => rmSync(folder, { recursive: true }));

const made = new Map<string, string>();

/** A page of the tests, made once: the file's path. */
async function pageOf(name: string): Promise<string> {
  const file = join(folder, `${name}.html`);
  if (!made.has(name)) writeFileSync(file, await reportHtml(pagesOfTests()[name]));
  made.set(name, file);
  return file;
}

/** A page in a tab, and everything that it says or asks for. */
async function opened(browser: Browser, file: string): Promise<{ page: Page; heard: string[] }> {
  // axe is a script of ours, which the page's policy rightly refuses.
  const page = await browser.newPage({ bypassCSP: true });
  const heard: string[] = [];
  const url = pathToFileURL(file).href;
  page.on('console', (message) => heard.push(message.text()));
  page.on('pageerror', (error) => heard.push(error.message));
  page.on('request', (request) => {
    if (request.url() !== url && !/^(data|blob):/.test(request.url())) heard.push(request.url());
  });
  await page.goto(url);
  return { page, heard };
}

/** The short form audits each of its pages in one window, narrow or wide, in light or dark. */
const AUDITED = ['light 400', 'dark 1280', 'dark 400'];
const PAGES = fewOf(Object.keys(pagesOfTests()), AUDITED.length);

/** What axe finds, a line for each kind of fault. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate('axe.run().then(({ violations }) => violations)');
  return (found as { id: string; nodes: { html: string }[] }[]).map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

const width = (page: Page) => page.evaluate('document.documentElement.scrollWidth') as Promise<number>;

describe.skipIf(!CHROMIUM)(`pages in a browser${CHROMIUM ? '' : ` (${NO_CHROMIUM})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(() => browser?.close());

  test.each(PAGES)('%s: quiet, no wider than its window, and without a fault', async (name) => {
    const { page, heard } = await opened(browser, await pageOf(name));
    const audited = AUDITED[PAGES.indexOf(name)];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const wide of LONG ? [400, 800, 1280, 1600] : [400, 1280]) {
        await page.setViewportSize({ width: wide, height: 900 });
        expect(await width(page), `${wide} pixels`).toBeLessThanOrEqual(wide);
        if (LONG || audited === `${colorScheme} ${wide}`)
          expect(await faults(page), `${colorScheme}, ${wide} pixels`).toEqual([]);
      }
    }
    expect(heard).toEqual([]);
    await page.close();
  });

  test('is light on paper, and no wider than a page of it', async () => {
    const { page } = await opened(browser, await pageOf('one'));
    await page.setViewportSize({ width: 720, height: 1000 });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await width(page)).toBeLessThanOrEqual(720);
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(27, 31, 39)');
    expect(await page.locator('nav').isVisible()).toBe(false);
    await page.close();
  });

  test('themes are switched and the JSON is saved by keys alone', async () => {
    const [[name, runs]] = Object.entries(pagesOfTests());
    const { page, heard } = await opened(browser, await pageOf(name));
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const before = await ground();
    await page.focus('#theme');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await page.inputValue('#theme')).toBe('dark');
    expect(await ground()).not.toBe(before);
    const download = page.waitForEvent('download');
    await page.focus('#save');
    await page.keyboard.press('Enter');
    const saved = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
    expect(saved.runs[0].report).toEqual(JSON.parse(JSON.stringify(runs[0].report)));
    expect(heard).toEqual([]);
    await page.close();
  });

  test('the map tells of its points by keys and by the pointer, in both planes, and of one class alone', async () => {
    const { page, heard } = await opened(browser, await pageOf('one'));
    const told = () => page.locator('#pointed output').textContent();
    await page.focus('.ground canvas');
    await page.keyboard.press('n');
    expect(await told()).toMatch(/^image 0, class 0, cluster 0 clean, \d attacked$/);
    expect(await page.locator('.ring:visible').count()).toBe(2);
    await page.selectOption('#map-class', '3');
    await page.focus('.ground canvas');
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    expect(await told()).toMatch(/^image 16, class 3, cluster 3 clean/);
    await page.keyboard.press('p');
    expect(await told()).toMatch(/^image 6, class 3/);
    // Where the ring was, the pointer finds that point, or one of its class that lies over it.
    await page.locator('.planes').scrollIntoViewIfNeeded();
    const ring = (await page.locator('.ring').first().boundingBox())!;
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    await page.mouse.move(ring.x + ring.width / 2, ring.y + ring.height / 2);
    const found = (await page.locator('.ring').first().boundingBox())!;
    expect(Math.hypot(found.x - ring.x, found.y - ring.y)).toBeLessThan(4);
    expect(await told()).toMatch(/class 3/);
    await page.click('[data-zoom="1.5"]');
    expect(await page.locator('.ring').first().boundingBox()).not.toEqual(found);
    expect(heard).toEqual([]);
    await page.close();
  });

  test('the map’s legend tells of classes by name, then of clusters; a card lies over the planes, at the point', async () => {
    const { page, heard } = await opened(browser, await pageOf('named'));
    const legend = page.locator('#legend');
    expect(await legend.locator('p').textContent()).toBe('Colours and shapes are classes:');
    expect(await legend.locator('li').allTextContents()).toEqual(['ant', 'class 1', '<b>bee</b>']);
    await page.focus('.ground canvas');
    await page.keyboard.press('n');
    expect(await page.locator('#pointed output').textContent()).toMatch(
      /^image 0, ant, cluster 0 clean, \d attackedant\//,
    );
    expect(
      await page.evaluate(`(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(
      document.querySelector('#pointed .file'))`),
    ).toBe(true);
    // It is what is seen there, of all that lies there, and the page does not cut it.
    const seen = await page.evaluate(`(() => {
      const card = document.getElementById('pointed');
      card.scrollIntoView({ block: 'center', behavior: 'instant' });
      card.style.pointerEvents = 'auto';
      const { left, top, right, bottom } = card.getBoundingClientRect();
      const planes = card.parentElement.getBoundingClientRect();
      const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return [card.contains(there), left >= planes.left && top >= planes.top && right <= planes.right + 1];
    })()`);
    expect(seen).toEqual([true, true]);
    await page.keyboard.press('Escape');
    expect(await page.locator('#pointed').isVisible()).toBe(false);
    await page.selectOption('#map-colour', 'cluster');
    expect(await legend.locator('p').textContent()).toMatch(/^Colours and shapes are clusters \(/);
    expect(await legend.locator('li').allTextContents()).toEqual(['cluster 0', 'cluster 1', 'cluster 2']);
    expect(heard).toEqual([]);
    await page.close();
  });

  test('without scripts everything is still there, but what needs them', async () => {
    const file = await pageOf('one');
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pathToFileURL(file).href);
    expect(await page.locator('svg').first().isVisible()).toBe(true);
    expect(await page.locator('#save').isVisible()).toBe(false);
    await context.close();
  });
});
