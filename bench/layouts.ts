/**
 * How long it takes to find out what an archive of the published size holds: `npx tsx bench/layouts.ts [name ...]`. Lists and
 * files are made by formula in a temporary folder (some 350,000 links to one byte); goal: each in under 10 s.
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from '../src/data/inspect.js';
import { findLayout } from '../src/data/layouts/find-layout.js';
import { MADE, type MadeArchive, writeLists } from '../test/data/layouts/made-archives.js';

/** Names that one file may have; some file systems stop at 65,000. */
const LINKS = 30_000;

function writeImages(root: string, { images }: MadeArchive): void {
  const folders = new Set(images.map((file) => dirname(join(root, file))));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  images.forEach((file, i) => {
    const first = images[i - (i % LINKS)];
    if (file === first) writeFileSync(join(root, file), 'x');
    else linkSync(join(root, first), join(root, file));
  });
}

async function timed<T>(work: () => Promise<T>): Promise<[seconds: number, result: T]> {
  const start = performance.now();
  const result = await work();
  return [(performance.now() - start) / 1000, result];
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(MADE);
console.log('archive          images  lists alone    with files       inspect   peak memory');
for (const name of names as (keyof typeof MADE)[]) {
  const made = MADE[name]();
  const root = mkdtempSync(join(tmpdir(), 'eat-dml-bench-layouts-'));
  try {
    writeLists(root, made);
    writeImages(root, made);
    const { read } = await findLayout(root);
    const [lists, archive] = await timed(() => read({ stat: false }));
    const [files] = await timed(() => read());
    const [whole, { faults }] = await timed(() => inspect(root));
    const times = [lists, files, whole].map((seconds) => `${seconds.toFixed(2)} s`.padStart(12)).join('  ');
    const peak = `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`;
    console.log(
      `${made.layout.padEnd(15)} ${String(archive.files.length).padStart(7)} ${times}   ${peak.padStart(11)}`,
    );
    if (faults.length > 0) console.log(faults.join('\n'));
  } finally {
    rmSync(root, { recursive: true });
  }
}
