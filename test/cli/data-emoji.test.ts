import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Credit } from '../../src/data/sets/data-set.js';
import { emoji, emojiPackagesDir } from '../../src/data/sets/emoji.js';
import { writeEmojiPackages } from '../data/sets/emoji-fixture.js';
import { LONG } from '../long.js';
import { callCli, runCli, temporaryFolder } from './run-cli.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** PATH with a program of its own in the place of npm, which notes its arguments. */
function npmThat(name: string, script: string): { PATH: string } {
  const bin = join(folder, name);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\necho "$@" >> '${join(bin, 'called')}'\n${script}\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  return { PATH: [bin, process.env.PATH].join(delimiter) };
}

describe('data emoji', () => {
  test('renders what npm has installed, and shows whose it is', async () => {
    const cache = join(folder, 'cache');
    writeEmojiPackages(emojiPackagesDir(cache));
    const env = npmThat('ok', 'exit 0');
    const { code, stdout, stderr } = await callCli(['data', 'emoji', '--side', '8', '--cache', cache], env);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('84 MB') });
    const [first, ...credits] = stdout.trim().split('\n');
    expect(first).toBe(`44 images of 4 classes of emoji in ${cache}`);
    expect(credits).toHaveLength(11);
    expect(credits[10]).toMatch(/^Set 10 +4 +MIT +Author 10$/);
    expect(readFileSync(join(folder, 'ok', 'called'), 'utf8')).toContain('@iconify-json/noto@1.2.9');
    expect((await emoji({ cacheDir: cache, side: 8 })).train.shape).toEqual([8, 8, 3]);
  });

  test('prints the same as JSON', async () => {
    const cache = join(folder, 'json');
    writeEmojiPackages(emojiPackagesDir(cache));
    const { stdout } = await callCli(['data', 'emoji', '--cache', cache, '--json'], npmThat('ok', 'exit 0'));
    const { credits, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({ command: 'data', name: 'emoji', cache, side: 64, classes: 4, images: 44 });
    expect(credits[1]).toMatchObject({ package: '@iconify-json/noto-v1', version: '1.2.5', licence: 'MIT', images: 4 });
  });

  test('says which side is none, before npm is called', async () => {
    const env = npmThat('side', 'exit 0');
    const { code, stderr } = await callCli(['data', 'emoji', '--side', '300', '--cache', folder], env);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected an integer from 1 to 256 for --side but received 300.'),
    });
    expect(() => readFileSync(join(folder, 'side', 'called'))).toThrow('ENOENT');
  });

  test('ends npm where it is interrupted', async () => {
    const env = npmThat('slow', `echo waiting >&2\nexec sleep 60`);
    const onStderr = (stderr: string, kill: (signal: NodeJS.Signals) => void) => {
      if (stderr.endsWith('waiting\n')) kill('SIGINT');
    };
    const { code, stderr } = await runCli(['data', 'emoji', '--cache', join(folder, 'slow')], { env, onStderr });
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining('ERR_ABORTED') });
  });

  // Downloads 17 MB through npm.
  test.runIf(LONG)('gives 1,037 emoji of the packages as they are', { timeout: 600_000 }, async () => {
    const cache = join(folder, 'real');
    const { code, stdout, stderr } = await runCli(['data', 'emoji', '--side', '16', '--cache', cache, '--json']);
    expect(code, stderr).toBe(0);
    const { credits, ...built } = JSON.parse(stdout);
    expect(built).toMatchObject({ classes: 1037, images: 9760 });
    expect(credits.map(({ images }: { images: number }) => images)).toEqual([
      ...[1037, 1036, 1037, 1037, 1037, 1037, 1037, 885, 1037, 225, 355],
    ]);
    const rows = credits.map(
      ({ title, package: name, version, images, author, licence }: Credit) =>
        `| ${title} (\`${name.replace('@iconify-json/', '')}\` ${version}) | ${images.toLocaleString('en')} | ${author} | ${licence} |`,
    );
    const documented = readFileSync('docs/data.md', 'utf8').split('\n');
    expect(documented.filter((line) => rows.includes(line))).toEqual(rows);
    const { train, test: unseen } = await emoji({ cacheDir: cache, side: 16 });
    expect([new Set(train.labels).size, new Set(unseen.labels).size]).toEqual([518, 519]);
  });
});
