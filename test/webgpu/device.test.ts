import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { belongsOnGpu, workOf } from '../../src/kernels/device-choice.js';
import { takesWebgpu } from '../../src/kernels/devices.js';
import {
  attackStepSync,
  devices,
  nearestCentroid,
  pairwiseDistance,
  pairwiseDistanceSync,
  uploadMatrix,
} from '../../src/kernels/index.js';
import { probeWebgpu } from '../../src/kernels/webgpu/probe.js';
import { normalMatrix } from '../kernels/support.js';
import { program } from '../program.js';
import { describeWebgpu, gpuCall, software } from './adapter.js';

const { found } = probeWebgpu();
const a = normalMatrix(5, 3);
const device = 'webgpu' as const;
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-webgpu-'));

/** What a process says that asks for the device under this environment. */
async function asked(env: Record<string, string>) {
  const child = spawnSync(process.execPath, [await program('test/webgpu/ask.ts')], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  return { status: child.status, signal: child.signal, ...(JSON.parse(child.stdout || '{}') as Answer) };
}

interface Answer {
  loaded: boolean;
  detail: string;
  available: boolean;
  /** What a call gave, or its error. */
  result: string;
}

test('the synchronous forms say in one sentence that there are none', () => {
  const sentence = 'Device webgpu has no synchronous calls: use the Promise form.';
  expect(() => pairwiseDistanceSync(a, a, { device })).toThrow(sentence);
  const step = { origin: a, current: a, gradient: a, norm: 'linf' as const, epsilon: 1, stepSize: 1, device };
  expect(() => attackStepSync(step)).toThrow(sentence);
});

test('devices() lists it between cuda and cpu, and says what it is or how to get it', () => {
  expect(devices().map(({ name }) => name)).toEqual(['cuda', 'webgpu', 'cpu', 'js']);
  const { available, detail, byNameOnly } = devices()[1];
  if (available) expect(detail).toMatch(byNameOnly ? /in software, for tests; auto does not take it$/ : /; hardware; /);
  else expect(detail).toMatch(/npm install webgpu|libvulkan1/);
});

describe.skipIf(!found)('a process of its own', () => {
  test('that imports the kernels loads nothing of webgpu, and one without a driver is told', async () => {
    const answer = await asked({ VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' });
    expect(answer).toMatchObject({ status: 0, loaded: false, available: false });
    expect(answer.detail).toMatch(/^WebGPU finds no adapter\. .*libvulkan1/);
    expect(answer.result).toBe('ERR_DEVICE: Device webgpu is not available: WebGPU finds no adapter.');
  });

  test('whose driver hangs is told so, after the time that EAT_DML_PROBE_TIMEOUT_MS gives', async () => {
    const answer = await asked({ EAT_DML_PROBE_TIMEOUT_MS: '1' });
    expect(answer.detail).toContain('the driver under WebGPU did not answer in 0.001 s');
  });

  test.skipIf(process.platform === 'win32')('whose driver crashes goes on', async () => {
    const crash = join(folder, 'crash.cjs');
    writeFileSync(crash, `if (process.execArgv.includes('-e')) process.kill(process.pid, 'SIGABRT');`);
    const answer = await asked({ NODE_OPTIONS: `--require ${crash}` });
    expect(answer).toMatchObject({ status: 0, available: false });
    expect(answer.detail).toContain('it crashes with SIGABRT; the driver is broken or does not fit');
  });
});

describeWebgpu('on an adapter', () => {
  test('a process that has used the device ends by itself, with code 0', async () => {
    expect(await asked({})).toMatchObject({ status: 0, signal: null, available: true, result: '27' });
  });

  test.skipIf(!software)('auto never takes one in software, not for what is worth a GPU either', () => {
    const matrix = (rows: number) => ({ data: new Float32Array(0), rows, cols: 128 });
    const args = { points: matrix(1_000_000), centroids: matrix(4096) };
    expect(belongsOnGpu(workOf('nearestCentroid', args, 'webgpu')!, 2, 'webgpu')).toBe(true);
    expect(takesWebgpu('auto', 'nearestCentroid', args)).toBe(false);
    expect(takesWebgpu('webgpu', 'nearestCentroid', args)).toBe(true);
  });

  test('an uploaded matrix gives what its values give, also after they have changed', async () => {
    const [points, centroids] = [normalMatrix(60, 7), normalMatrix(9, 7, { seed: 2 })];
    const expected = await nearestCentroid(points, centroids, { device });
    const changing = { ...points, data: points.data.slice() };
    const uploaded = uploadMatrix(changing, { device });
    expect(uploaded.device).toBe('webgpu');
    changing.data.fill(0);
    for (let i = 0; i < 2; i++) expect(await nearestCentroid(uploaded, centroids, { device })).toEqual(expected);
    expect(await nearestCentroid(uploaded, centroids, { device: 'js' })).toMatchObject({ labels: expected.labels });
    uploaded.dispose();
    await expect(nearestCentroid(uploaded, centroids, { device })).rejects.toThrow('one that is disposed');
    expect(() => uploadMatrix({ ...a, data: a.data.map(() => Number.NaN) }, { device })).toThrow(
      'Expected finite values',
    );
  });

  test('what WebGPU finds wrong is one sentence', async () => {
    const bad = gpuCall((gpu) => gpu.pipeline('fn main() { nonsense }'));
    await expect(bad).rejects.toMatchObject({ code: 'ERR_DEVICE', message: /^Device webgpu refuses the call: .*WGSL/ });
    const large = gpuCall(async (gpu) => gpu.buffer(4096), { binding: 1024 });
    await expect(large).rejects.toThrow('Expected at most 1024 bytes in a buffer of webgpu but the call takes 4096.');
    const unsound = gpuCall(async (gpu) => gpu.read([gpu.buffer(16), new Float32Array(400)]));
    await expect(unsound).rejects.toMatchObject({ code: 'ERR_DEVICE' });
  });

  test('a lost device is told, and the next call has another', async () => {
    const lost = gpuCall(async (gpu) => {
      const buffer = gpu.buffer(16);
      gpu.device.destroy();
      await gpu.read([buffer, new Float32Array(4)]);
    });
    await expect(lost).rejects.toMatchObject({ code: 'ERR_DEVICE', message: /^The device of webgpu was lost/ });
    expect((await pairwiseDistance(a, a, { device })).data[0]).toBe(0);
  });
});
