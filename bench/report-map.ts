/**
 * How smoothly the map of a report moves: `npx tsx bench/report-map.ts [points]`, in Chromium without a GPU. Says the frames of a second
 * while it is dragged, and while the pointer goes over it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reportHtml } from '../src/report/index.js';
import { openChromium } from '../test/report/chromium.js';
import { gatheredOf } from '../test/report/gathered.js';
import { fullReport } from '../test/report/reports.js';

const FRAMES = 120;
/** The middle of the times between frames, their 95th percentile, and those above a 60th of a second and a half. */
const WATCH = `new Promise((done) => {
  const times = [];
  const frame = (now) => {
    times.push(now);
    if (times.length <= ${FRAMES}) return requestAnimationFrame(frame);
    const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
    done({ median: gaps[${FRAMES / 2}], most: gaps[${Math.floor(0.95 * FRAMES)}], late: gaps.filter((gap) => gap > 25).length });
  };
  requestAnimationFrame(frame);
})`;

async function main(): Promise<void> {
  const points = Number(process.argv[2] ?? 10_000);
  const folder = mkdtempSync(join(tmpdir(), 'eat-dml-bench-'));
  const file = join(folder, 'report.html');
  const start = performance.now();
  const page = await reportHtml([{ name: 'eat', report: fullReport(), gathered: gatheredOf(points, 10) }]);
  console.log(
    `${points} points: ${(page.length / 1e6).toFixed(2)} MB, written in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  writeFileSync(file, page);
  const browser = await openChromium();
  try {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await tab.goto(pathToFileURL(file).href);
    await tab.locator('.ground canvas').first().scrollIntoViewIfNeeded();
    const box = (await tab.locator('.ground canvas').first().boundingBox())!;
    const centre = [box.x + box.width / 2, box.y + box.height / 2] as const;
    for (const what of ['idle', 'hover', 'drag'] as const) {
      await tab.mouse.move(...centre);
      if (what === 'drag') await tab.mouse.down();
      const watched = tab.evaluate(WATCH);
      let moving = what !== 'idle';
      const move = (async () => {
        for (let i = 0; moving; i++)
          await tab.mouse.move(centre[0] + 120 * Math.sin(i / 9), centre[1] + 120 * Math.cos(i / 7));
      })();
      const { median, most, late } = (await watched) as { median: number; most: number; late: number };
      moving = false;
      await move;
      await tab.mouse.up();
      console.log(
        `${what}: ${(1000 / median).toFixed(0)} frames/s, 95% within ${most.toFixed(1)} ms, ${late} of ${FRAMES} late`,
      );
    }
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

await main();
