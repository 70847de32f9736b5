import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.js';
import { CONFIGURED_ATTACKS } from '../evaluation/brief.js';
import { passChecks } from '../evaluation/without-checks.js';
import { type CliOptions, callCli, runCli, temporaryFolder, writeTinyImages } from './run-cli.js';

const folder = temporaryFolder();
const config = join(folder, 'config.json');
const attack = { epsilon: 0.1, steps: 2 };

/** Pure JSON: the whole of stdout is one value. */
const parsed = (stdout: string) => JSON.parse(stdout) as Record<string, never>;

beforeAll(async () => {
  const settings: Config = {
    seed: 1,
    data: { name: 'idx', ...(await writeTinyImages(folder)), trainClasses: [0, 1, 2] },
    model: { kind: 'conv', width: 2, dimension: 8 },
    training: { epochs: 2, batch: { size: 12 } },
    evaluation: { attacks: CONFIGURED_ATTACKS, epsilon: 0.1, bootstrap: 50, clusterRestarts: 3 },
  };
  writeFileSync(config, JSON.stringify(settings));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('train, evaluate', () => {
  const out = join(folder, 'standard');

  test('train --json prints the result alone, and leaves a run folder', async () => {
    const { code, stdout, stderr } = await runCli([
      'train',
      '--config',
      config,
      '--method',
      'standard',
      '--out',
      out,
      '--json',
    ]);
    expect(stderr).toMatch(/train standard {2}epoch 1\/2 {2}step 1\/6 {2}loss [\d.]+ {2}\d+ images\/s {2}ETA \d+:\d\d/);
    expect(code).toBe(0);
    expect(parsed(stdout)).toMatchObject({ command: 'train', out, history: { epochs: 2, steps: 6 } });
    expect(parsed(stdout)).toMatchObject({ config: { seed: 1, method: { name: 'standard' } } });
    expect(existsSync(join(out, 'manifest.json'))).toBe(true);
  });

  test('a run is not overwritten: 4, with the remedy', async () => {
    const { code, stdout, stderr } = await callCli(['train', '--config', config, '--out', out]);
    expect(stderr).toMatch(/ERR_CHECKPOINT.*\n.*Resume it, remove it, or name another folder/);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });

  test('--resume goes on from the folder alone', async () => {
    const { code, stdout } = await callCli(['train', '--resume', '--out', out, '--epochs', '3', '--json']);
    expect(code).toBe(0);
    expect(parsed(stdout)).toMatchObject({ history: { epochs: 3, steps: 9 } });
  });

  test('--resume where nothing is: 4', async () => {
    const { code, stderr } = await callCli(['train', '--resume', '--out', join(folder, 'nothing')]);
    expect(stderr).toContain('ERR_CHECKPOINT');
    expect(code).toBe(4);
  });

  test('evaluate reads the run’s own configuration and writes what it is asked to', async () => {
    const [json, html] = [join(folder, 'report.json'), join(folder, 'report.html')];
    const { code, stdout } = await callCli(['evaluate', out, '--json', '--out', json, '--html', html]);
    expect(code).toBe(0);
    const report = parsed(stdout) as never as { attacks: unknown[]; manifest: object; worst: { scores: object } };
    expect(report.attacks).toHaveLength(3);
    expect(report.manifest).toMatchObject({ samples: 36, classes: 3, k: 3, seed: 1, epsilon: 0.1 });
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(report);
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('<svg');
    expect(page).toContain('Training loss');
    expect(page).toContain(`eat-dml evaluate ${out}`);
    expect(page).not.toContain('map-data');
  });

  test('evaluate --report adds a map and images to the page, and nothing to the result', async () => {
    passChecks();
    const [json, page] = [join(folder, 'mapped.json'), join(folder, 'mapped.html')];
    const args = ['evaluate', out, '--count', '20', '--json'];
    const { stdout } = await callCli(args);
    const { code } = await callCli([...args, '--out', json, '--report', page, '--points', '12']);
    expect(code).toBe(0);
    const timeless = (text: string) => JSON.parse(text.replace(/"seconds": [\d.e-]+/g, '"seconds": 0'));
    expect(timeless(readFileSync(json, 'utf8'))).toEqual(timeless(stdout));
    const text = readFileSync(page, 'utf8');
    expect(JSON.parse(text.match(/id="map-data">(.*?)<\/script>/s)![1]).labels).toHaveLength(12);
    expect(text).toContain('src="data:image/png;base64,');
    expect(text).toContain(`<code>eat-dml evaluate ${out} --count 20</code>`);
    const refused = await callCli(['evaluate', out, '--points', '12']);
    expect(refused.stderr).toContain('ERR_ARGUMENT: Expected --report beside --points');
    expect(refused.code).toBe(2);
  });

  test('evaluate --seed is of attacks and k-means: the images are those of the run', async () => {
    passChecks();
    const manifests = await Promise.all(
      ['1', '2'].map(async (seed) => {
        const { code, stdout } = await callCli(['evaluate', out, '--seed', seed, '--json']);
        expect(code).toBe(0);
        return parsed(stdout).manifest as { seed: number; dataHash: string };
      }),
    );
    expect(manifests.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(manifests[1].dataHash).toBe(manifests[0].dataHash);
  });

  test('--resume with another seed is refused, and the run goes on as it was', async () => {
    const refused = await callCli(['train', '--resume', '--out', out, '--seed', '2']);
    expect(refused.stderr).toMatch(/ERR_CHECKPOINT: Expected seed 1/);
    expect(refused.code).toBe(4);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({ seed: 1, training: { epochs: 3 } });
    expect((await callCli(['train', '--resume', '--out', out])).code).toBe(0);
  });

  test('data that changed since are not those that the run was trained on: 4', async () => {
    const { images } = JSON.parse(readFileSync(config, 'utf8')).data;
    const before = readFileSync(images);
    writeFileSync(
      images,
      before.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
    );
    const { code, stderr } = await callCli(['evaluate', out]);
    writeFileSync(images, before);
    expect(stderr).toMatch(
      /ERR_DATA: Expected the data that .* was trained on, 36 images, but its configuration gives 36 images of which \d+ are/,
    );
    expect(code).toBe(4);
  });

  test('evaluate shows curves of radii and of steps, classes, intervals and RobRank’s measures', async () => {
    passChecks();
    const curves = ['--epsilons', '0,16/255,0.1', '--step-counts', '1,2'];
    const shown = await callCli(['evaluate', out, '--count', '20', ...curves, '--per-class']);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^95% by bootstrap over images: NMI 0\.\d{3} to [01]\.\d{3}, Recall@1 /m);
    expect(shown.stdout).toMatch(/worst at epsilon .*\n0 .*\n16\/255 .*\n0\.1 /);
    expect(shown.stdout).toMatch(/worst by steps .*\n1 .*\n2 /);
    expect(shown.stdout).toMatch(/class +images +Recall@1 +worst +MAP@R +worst +F1 of best cluster +worst\n/);
    const wrong = await callCli(['evaluate', out, '--epsilons', '0,,1']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('such as 0.1 or 8/255');
    const none = await callCli(['evaluate', out, '--step-counts', '0,5']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('Expected positive integers')]);
  });

  test('evaluate prints the worst case first', async () => {
    passChecks();
    const { code, stdout } = await callCli(['evaluate', out, '--count', '20']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Worst case: NMI \d\.\d{3} \(.*\), Recall@1/);
    expect(stdout).toMatch(/^20 images of 3 classes/m);
  });

  test('a backend that is absent, asked for by name: 3, with the remedy', async () => {
    const { code, stdout, stderr } = await runCli(['evaluate', out, '--backend', 'native'], {
      // An instruction set that no processor has keeps the addon from loading.
      env: { EAT_DML_ISA: 'none' },
    });
    expect(stderr).toMatch(/ERR_(BACKEND|DEVICE): .*/);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });

  test('a device that is absent, asked for by name: 3', async () => {
    const { code, stdout, stderr } = await callCli(['evaluate', out, '--device', 'cuda']);
    expect(stderr).toMatch(/ERR_DEVICE: Expected to run on the device cuda but cannot: .*[^.]\.\n/);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });

  test('a damaged checkpoint: 4, naming the file', async () => {
    const manifest = join(out, 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').slice(0, -40));
    const { code, stdout, stderr } = await callCli(['evaluate', out]);
    expect(stderr).toContain('manifest.json');
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });
});

/** Ctrl-C when stderr says that, and no second one, which would end it at once. */
function interruptAt(wanted: string): CliOptions {
  let sent = false;
  return {
    onStderr: (text, kill) => {
      if (sent || !text.includes(wanted)) return;
      sent = true;
      kill('SIGINT');
    },
  };
}

test('Ctrl-C saves a checkpoint, says how to go on, and ends with 130', async () => {
  const out = join(folder, 'interrupted');
  const args = ['train', '--config', config, '--method', 'at', '--epochs', '100000', '--out', out, '--json'];
  const { code, stdout, stderr } = await runCli(args, interruptAt('step 1/'));
  expect(stderr).toContain(`eat-dml train --resume --out ${out}`);
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  const resumed = await callCli(['train', '--resume', '--out', out, '--epochs', '1', '--json']);
  expect(resumed.code).toBe(0);
  const { history } = parsed(resumed.stdout) as never as { history: { steps: number } };
  expect(history.steps).toBeGreaterThan(0);
});

test('Ctrl-C in evaluate says what was kept, and ends with 130', async () => {
  const written = join(folder, 'never.json');
  const args = ['evaluate', join(folder, 'interrupted'), '--out', written];
  const { code, stdout, stderr } = await runCli(args, interruptAt('sanity checks come first'));
  expect({ code, stdout, there: existsSync(written) }).toEqual({ code: 130, stdout: '', there: false });
  expect(stderr).toMatch(/ERR_ABORTED: The evaluation was interrupted\.\n {2}No figures were kept, .* Begin again/);
});

test('a network with heads is trained by flags, and evaluated from its run', async () => {
  const out = join(folder, 'heads');
  const args = ['train', '--config', config, '--method', 'eat-heads', '--heads', '2', '--epsilon', '0.1'];
  const { code, stdout } = await callCli([...args, '--epochs', '1', '--out', out, '--json']);
  expect(code).toBe(0);
  expect(parsed(stdout)).toMatchObject({ members: 1, config: { method: { name: 'eat-heads', heads: 2 } } });
  passChecks();
  const evaluated = await callCli(['evaluate', out, '--count', '12', '--json']);
  expect(evaluated.code).toBe(0);
  expect(parsed(evaluated.stdout)).toHaveProperty('worst.scores.nmi');
});

test('the demo compares the three methods, in one table and one JSON', async () => {
  passChecks();
  const out = join(folder, 'demo');
  const { code, stdout, stderr } = await callCli(['demo', '--config', config, '--epochs', '1', '--out', out, '--json']);
  expect(code).toBe(0);
  const result = parsed(stdout) as never as { comparison: { conditions: string[]; methods: { method: string }[] } };
  expect(result.comparison.methods.map(({ method }) => method)).toEqual(['standard', 'at', 'eat']);
  expect(result.comparison.conditions.at(0)).toBe('clean');
  expect(result.comparison.conditions.at(-1)).toBe('worst');
  expect(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))).toEqual(result);
  expect(stderr).toContain(join(out, 'report.json'));
  writeFileSync(join(out, 'at', 'notes.txt'), 'mine');
  const [first, again] = await Promise.all([
    callCli(['evaluate', join(out, 'at'), '--json']),
    callCli(['demo', '--config', config, '--epochs', '1', '--out', out, '--resume']),
  ]);
  expect(again.stdout).toMatch(/^worst/m);
  const { runs } = result as never as { runs: { report: { worst: object } }[] };
  expect(parsed(first.stdout).worst).toEqual(runs[1].report.worst);
  expect((await callCli(['demo', '--config', config, '--epochs', '2', '--out', out, '--json'])).code).toBe(0);
  expect(readdirSync(join(out, 'at')).sort()).toEqual(['manifest.json', 'notes.txt', 'run.json', 'step-6']);
});

test('the demo takes no method', async () => {
  const path = join(folder, 'with-method.json');
  writeFileSync(path, JSON.stringify({ method: { name: 'at', attack } }));
  const { code, stderr } = await callCli(['demo', '--config', path]);
  expect(stderr).toContain('Expected no method');
  expect(code).toBe(2);
});
