import { rmSync, writeFileSync } from 'node:fs';
import { get, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Curve } from '../../src/cli/watch/seen.js';
import { openWatch } from '../../src/cli/watch/server.js';
import type { TrainingProgress } from '../../src/training/index.js';
import { CHROMIUM, openChromium } from '../report/chromium.js';
import { callCli, runCli, temporaryFolder, writeTinyImages } from './run-cli.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const progress = (step: number, more: Partial<TrainingProgress> = {}): TrainingProgress => ({
  ...{ phase: 'train', epoch: 0, epochs: 2, step, steps: 10, loss: 3 / step, imagesPerSecond: 50, etaSeconds: 7 },
  ...{ learningRate: 0.01, ...more },
});

/** Status, headers and text of an answer; `host` as a page of another's would have it. */
function asked(url: string, { method = 'GET', host }: { method?: string; host?: string } = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const sent = request(url, { method, ...(host !== undefined && { headers: { host } }) }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, text }));
    });
    sent.on('error', reject).end();
  });
}

describe('the server of a training', () => {
  test('has the page, and tells what is new as it comes, to its end', async () => {
    const watch = await openWatch({ name: 'eat', folder: 'runs/eat' });
    const page = await asked(watch.url);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
    });
    expect(page.text).toContain('connect-src &#39;self&#39;');
    expect(page.text).toContain('data-version="0"');
    const waiting = asked(`${watch.url}state?since=0`);
    for (const step of [1, 2]) watch.show(progress(step));
    watch.show(progress(2, { epoch: 1, scores: { nmi: 0.4, recallAt1: 0.5, mapAtR: 0.3 } as never }));
    const { version, main, ended } = JSON.parse((await waiting).text);
    expect({ version, ended }).toEqual({ version: '1', ended: false });
    expect(main).toMatch(/epoch<\/th><td class="text">2 of 2/);
    expect(main).toMatch(/Training loss.*Validation/s);
    expect(main).toContain('"losses":[{"x":1,"y":3},{"x":2,"y":1.5}]');
    const last = asked(`${watch.url}state?since=1`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await watch.close('It has ended.');
    expect(JSON.parse((await last).text)).toMatchObject({
      ended: true,
      main: expect.stringContaining('It has ended.'),
    });
    await expect(asked(watch.url)).rejects.toThrow('ECONNREFUSED');
  });

  test('answers nobody who calls it by another name, does else than read, or asks for what is not there', async () => {
    const watch = await openWatch({ name: 'eat', folder: 'x' });
    const { port } = new URL(watch.url);
    const statuses = await Promise.all([
      asked(watch.url, { host: `localhost:${port}` }),
      asked(watch.url, { host: `rebound.example:${port}` }),
      asked(watch.url, { host: '127.0.0.1' }),
      asked(`${watch.url}state`, { host: 'rebound.example' }),
      asked(watch.url, { method: 'POST' }),
      asked(`${watch.url}../package.json`),
      asked(`${watch.url}etc`),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 403, 403, 403, 405, 404, 404]);
    for (const { text } of statuses.slice(1)) expect(text).toBe('');
    await watch.close('');
  });

  test('is held up at its end by none who does not take its answer', async () => {
    const watch = await openWatch({ name: 'eat', folder: 'x' });
    const silent = connect(Number(new URL(watch.url).port), '127.0.0.1');
    silent.on('error', () => {});
    await new Promise<void>((resolve) => silent.write('GET / HTTP/1.1\r\nHost: ', () => resolve()));
    await watch.close('');
    silent.destroy();
  });

  test('listens on this machine’s own address alone', async () => {
    const watch = await openWatch({ name: 'eat', folder: 'x' });
    const { hostname, port } = new URL(watch.url);
    expect(hostname).toBe('127.0.0.1');
    const elsewhere = new Promise((resolve) => get(`http://127.0.0.2:${port}/`, resolve).on('error', resolve));
    expect(await elsewhere).toMatchObject({ code: 'ECONNREFUSED' });
    await watch.close('');
  });

  test('escapes what it tells', async () => {
    const watch = await openWatch({ name: '</script><i>', folder: '"><img src=x>' });
    const { text } = await asked(watch.url);
    expect(text).not.toMatch(/<i>|<img/);
    expect(text).not.toContain('</script><i');
    await watch.close('');
  });
});

test('a curve of any length is means of equally many neighbours, in few points', () => {
  const curve = new Curve();
  for (let x = 1; x <= 1000; x++) curve.add(x, 2 * x);
  const points = curve.points();
  expect(points.length).toBeLessThanOrEqual(400);
  expect(points[0]).toEqual({ x: 2.5, y: 5 });
  expect(points.at(-1)).toEqual({ x: 998.5, y: 1997 });
  for (const { x, y } of points) expect(y).toBeCloseTo(2 * x, 9);
  curve.add(1001, 0);
  expect(curve.points().at(-1)).toEqual({ x: 1001, y: 0 });
});

describe('eat-dml train --watch', () => {
  const config = async () => {
    const path = join(folder, 'config.json');
    const data = { name: 'idx', ...(await writeTinyImages(folder)) };
    const training = { epochs: 2, batch: { size: 12 } };
    const method = { name: 'standard' };
    writeFileSync(
      path,
      JSON.stringify({ seed: 1, data, method, training, model: { kind: 'conv', width: 2, dimension: 4 } }),
    );
    return path;
  };

  test('says where, and ends with the training', async () => {
    let told = '';
    const seen: Promise<string>[] = [];
    const args = ['train', '--config', await config(), '--epochs', '40', '--watch', '--out', join(folder, 'watched')];
    const { code, stderr } = await runCli(args, {
      onStderr: (text) => {
        const url = /watch it at (http:\/\/127\.0\.0\.1:\d+\/)\n/.exec(text)?.[1];
        if (url === undefined || told !== '') return;
        told = url;
        seen.push(asked(url).then(({ text: page }) => page));
      },
    });
    expect(code, stderr).toBe(0);
    expect(await seen[0]).toContain('Training standard');
    await expect(asked(told)).rejects.toThrow('ECONNREFUSED');
  });

  test('refuses a port that is taken, in one sentence and before any work: 3', async () => {
    const watch = await openWatch({ name: 'other', folder: 'x' });
    const { port } = new URL(watch.url);
    const out = join(folder, 'taken');
    const { code, stdout, stderr } = await callCli([
      'train',
      '--config',
      await config(),
      '--watch',
      port,
      '--out',
      out,
    ]);
    await watch.close('');
    expect(stderr).toMatch(
      /^eat-dml: ERR_SYSTEM: Expected to serve --watch on port \d+ of 127\.0\.0\.1 but another process has it\.\n {2}Name another/,
    );
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });

  test.each(['0', '70000', 'x'])('refuses the port %s: 2', async (port) => {
    const { code, stderr } = await callCli(['train', '--watch', port]);
    expect(stderr).toMatch(/Expected (a port|an integer)/);
    expect(code).toBe(2);
  });
});

test.skipIf(!CHROMIUM)('a browser follows a training to its end, and says nothing', async () => {
  const watch = await openWatch({ name: 'eat', folder: 'runs/eat' });
  const browser = await openChromium();
  const page = await browser.newPage();
  const heard: string[] = [];
  page.on('console', (message) => heard.push(message.text()));
  page.on('pageerror', (error) => heard.push(error.message));
  page.on('request', (sent) => {
    if (!sent.url().startsWith(watch.url)) heard.push(sent.url());
  });
  await page.goto(watch.url);
  for (const step of [1, 2, 3]) watch.show(progress(step));
  await page.getByText('3 of 10').waitFor();
  expect(await page.locator('svg').count()).toBe(2);
  await watch.close('It has ended: 2 epochs.');
  await page.getByText('It has ended: 2 epochs.').waitFor();
  expect(heard.filter((text) => !text.startsWith('data:'))).toEqual([]);
  await browser.close();
});
