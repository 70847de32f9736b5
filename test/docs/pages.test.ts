import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import JSON5 from 'json5';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { sweepSchema } from '../../src/config/sweep-schema.js';
import { LONG } from '../long.js';
import { root, run } from '../packaging/run.js';
import { type Block, blocksOf, examplesOfSources, isProgram, isShell, pages, place, WHOLE } from './blocks.js';
import { argumentsOf, commandsOf, faultOfArguments, shortenedArguments } from './commands.js';
import { byTwos, faultOfProgram, faultOfPrograms, faultsOfTypes } from './programs.js';
import { eatDml, makeStage, type Stage } from './stage.js';

const MINUTES = 60_000;
/** npm test compiles and reads them. */
const RUNS = LONG || WHOLE;
/** Those alone whose names have this in them, for who writes one. */
const only = process.env.EAT_DML_TEST_PAGES ?? '';
const files = pages().filter((name) => name.includes(only));
const blocks = files.flatMap((file) => blocksOf(file));
const examples = examplesOfSources();
const programs = readdirSync('examples').filter((name) => name.endsWith('.mjs'));
/** Its commands are for a project that one may not have yet: they are read and not run. */
const READ_ONLY = ['README.md', 'CONTRIBUTING.md'];

/** All others fetch, install or compile: they are read and not run. */
const RUN = new Set([
  'completion',
  'embed',
  'evaluate',
  'export',
  'init',
  'report',
  'score',
  'sweep',
  'table',
  'train',
]);

const runs = (block: Block) => block.notRun === undefined && (WHOLE || !block.long);
const counts = { programs: 0, examples: 0, commands: 0, read: 0 };
let stage: Stage;

beforeAll(async () => {
  const built = await run(process.execPath, ['scripts/build-ts.mjs', '--if-changed']);
  expect(built).toMatchObject({ code: 0, stderr: '' });
  stage = await makeStage(RUNS);
}, 5 * MINUTES);

afterAll(() => {
  stage?.dispose();
  console.info(`blocks: ${JSON.stringify(counts)} of ${blocks.length}`);
  for (const block of blocks) {
    const why = block.notRun ?? (runs(block) ? undefined : 'takes long: EAT_DML_TEST_WHOLE=1');
    if (why) console.info(`not run: ${place(block)}: ${why}`);
  }
});

describe('programs in the pages', () => {
  test('tsc compiles them, the examples of doc comments and examples/', async () => {
    const all = [...blocks, ...examples].filter(isProgram);
    expect(await faultsOfTypes(all, stage.folder, programs)).toEqual([]);
  });

  test.runIf(RUNS)(
    'they run, and what the pages tell a shell to do, page by page from top to bottom',
    async () => {
      const faults = await byTwos(files, async (file) => {
        const folder = stage.copy();
        const found: string[] = [];
        for (const block of blocks.filter((each) => each.file === file && runs(each))) {
          const start = performance.now();
          found.push(...(await faultsOf(block, folder)));
          console.info(`${place(block)}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
        }
        return found;
      });
      expect(faults.flat()).toEqual([]);
    },
    20 * MINUTES,
  );

  test.runIf(RUNS)(
    'so do the examples of doc comments',
    async () => {
      const folder = stage.copy();
      const run = examples.filter(runs);
      counts.examples = run.length;
      const halves = [0, 1].map((half) => run.filter((_, i) => i % 2 === half));
      const faults = await byTwos(halves, (blocks) => faultOfPrograms(blocks, folder));
      expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
    },
    10 * MINUTES,
  );
});

async function faultsOf(block: Block, folder: string): Promise<string[]> {
  if (isProgram(block)) {
    counts.programs++;
    const fault = await faultOfProgram(block, folder);
    return fault ? [fault] : [];
  }
  if (!isShell(block) || READ_ONLY.includes(block.file)) return [];
  const faults: string[] = [];
  for (const command of commandsOf(block)) {
    const args = argumentsOf(command);
    if (!args || !(RUN.has(args[0]) || args.slice(0, 2).join(' ') === 'data inspect')) continue;
    counts.commands++;
    const { code, stderr } = await eatDml(folder, WHOLE ? args : shortenedArguments(args));
    if (code !== 0) faults.push(`${place(block)}: ${command.join(' ')} ended with ${code}: ${stderr.slice(-1000)}`);
  }
  return faults;
}

describe('commands in the pages', () => {
  const commands = blocks.filter(isShell).flatMap((block) => commandsOf(block).map((words) => ({ block, words })));
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

  test('eat-dml understands them all', async () => {
    const faults = await byTwos(commands, async ({ block, words }) => {
      const args = argumentsOf(words);
      if (!args) return undefined;
      counts.read++;
      const fault = await faultOfArguments(args);
      return fault && `${place(block)}: ${words.join(' ')}: ${fault}`;
    });
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  test('in running text, too', async () => {
    const faults = await byTwos(files, async (file) => {
      const text = readFileSync(file, 'utf8').replaceAll(/^ *```.*?^ *```/gms, '');
      const spans = [...text.matchAll(/`((?:npx )?eat-dml [^`]*)`/g)].map(([, span]) => span.replaceAll(/\s+/g, ' '));
      const found = await byTwos(spans, async (span) => {
        const args = argumentsOf(span.split(' '));
        const fault = /[<[]|i\/n|\.\.\./.test(span) || !args ? undefined : await faultOfArguments(args, false);
        return fault && `${file}: ${span}: ${fault}`;
      });
      return found.filter((fault) => fault !== undefined);
    });
    expect(faults.flat()).toEqual([]);
  });

  test('the scripts of npm that they name are there', () => {
    const named = commands.flatMap(({ words: [program, verb, name] }) =>
      program === 'npm' && verb === 'run' ? [name] : [],
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('JSON in the pages', () => {
  const inPages = blocks.filter(({ language }) => ['json', 'jsonc'].includes(language));
  const inFiles = ['examples', 'examples/sweeps'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({ where: `${folder}/${name}`, code: readFileSync(join(root, folder, name), 'utf8') })),
  );
  const all = [...inPages.map((block) => ({ where: place(block), code: block.code })), ...inFiles];

  test.each(all)('$where is a configuration', ({ code }) => {
    const value = JSON5.parse(code);
    const schema = 'runs' in value ? sweepSchema : configSchema;
    expect(schema.safeParse(value)).toMatchObject({ success: true });
  });
});

test('what is not run says why in words', () => {
  for (const { notRun } of blocks) if (notRun !== undefined) expect(notRun).toMatch(/^(needs|takes|asks|is) \w+/);
});
