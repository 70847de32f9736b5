/**
 * How long a program waits for its imports of the built package, each in a process of its own, and that TensorFlow is not
 * among what they load: `npx tsx bench/startup.ts [rounds]` after `npm run build:ts`.
 */
import { execFileSync } from 'node:child_process';

const rounds = Number(process.argv[2] ?? 9);
const GOALS: Record<string, number> = { 'kernels/index.js': 60, 'index.js': 300 };

for (const [file, goal] of Object.entries(GOALS)) {
  const url = new URL(`../dist/${file}`, import.meta.url).href;
  const program = `
    const start = performance.now();
    await import('${url}');
    const ms = performance.now() - start;
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire('${url}').cache);
    const libraries = process.report.getReport().sharedObjects;
    const tensorflow = [...loaded, ...libraries].filter((name) => /tfjs-node|libtensorflow/.test(name)).length;
    process.stdout.write(JSON.stringify({ ms, tensorflow }));`;
  const runs = Array.from({ length: rounds }, () => {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    return JSON.parse(output) as { ms: number; tensorflow: number };
  });
  const times = runs.map(({ ms }) => ms).sort((a, b) => a - b);
  const loaded = runs.some(({ tensorflow }) => tensorflow > 0)
    ? 'TensorFlow was loaded'
    : 'nothing of TensorFlow loaded';
  const [median, least] = [times[rounds >> 1], times[0]].map((ms) => ms.toFixed(0).padStart(5));
  console.log(`${file.padEnd(18)} median ${median} ms, least ${least} ms (goal ${goal}); ${loaded}`);
}
