import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { callCli } from './run-cli.js';

const scripts: Record<string, string> = {};
for (const shell of ['bash', 'zsh', 'fish']) {
  const { code, stdout } = await callCli(['completion', shell]);
  expect(code).toBe(0);
  scripts[shell] = stdout;
}

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;
const said = (shell: string, script: string) => spawnSync(shell, ['-c', script], { encoding: 'utf8' });

describe.skipIf(!has('bash'))('in bash', () => {
  test.each([
    [['eat-dml', 'tr'], ['train']],
    [['eat-dml', 'train', '--met'], ['--method']],
    [
      ['eat-dml', 'train', '--method', 'eat'],
      ['eat', 'eat-heads'],
    ],
    [['eat-dml', 'evaluate', 'run', '--suite', 'q'], ['quick']],
    [
      ['eat-dml', 'data', ''],
      ['emoji', 'inspect', '--side', '--cache', '--json', '--help'],
    ],
    // A file: the shell's own.
    [['eat-dml', 'train', '--out', ''], []],
    [['eat-dml', 'train', '--resume', '--see'], ['--seed']],
  ])('%j', (words, expected) => {
    const array = words.map((word) => `'${word}'`).join(' ');
    const { stdout, stderr } = said(
      'bash',
      `${scripts.bash}\nCOMP_WORDS=(${array})\nCOMP_CWORD=${words.length - 1}\n_eat_dml\necho "\${COMPREPLY[@]}"`,
    );
    expect(stderr).toBe('');
    expect(stdout.trim().split(' ').filter(Boolean)).toEqual(expected);
  });
});

test.skipIf(!has('fish'))('in fish', () => {
  const { stdout, stderr } = said('fish', `${scripts.fish}\ncomplete -C 'eat-dml train --method eat'`);
  expect(stderr).toBe('');
  expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(expect.arrayContaining(['eat', 'eat-heads']));
});

test.skipIf(!has('zsh'))('zsh reads it', () => {
  expect(spawnSync('zsh', ['-n', '-c', scripts.zsh], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

test('every command is there', async () => {
  const { stdout } = await callCli(['--help']);
  const commands = [...stdout.matchAll(/^ {2}([a-z-]+) (?:\[|<)/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== 'help');
  expect(commands.length).toBeGreaterThan(10);
  for (const script of Object.values(scripts)) for (const name of commands) expect(script).toContain(name);
});

test('another shell is a usage error', async () => {
  expect(await callCli(['completion', 'csh'])).toMatchObject({ code: 2, stdout: '' });
});
