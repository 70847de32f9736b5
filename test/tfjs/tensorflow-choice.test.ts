import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test, vi } from 'vitest';

/** Stands for tfjs-node: registers a backend 'tensorflow' and makes it the one in use, as importing the real one does. */
async function tfjsNode({ gpu }: { gpu: boolean }) {
  const Cpu = tf.findBackend('cpu').constructor as new () => tf.KernelBackend;
  tf.registerBackend('tensorflow', () => Object.assign(new Cpu(), { isUsingGpuDevice: gpu }), 3);
  await tf.setBackend('tensorflow');
  return {};
}

const missing = (name: string) => () => {
  throw Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' });
};

/** A fresh copy of the module that remembers its probes, in a world with these packages. */
async function freshChoice(packages: { gpu?: () => unknown; cpu?: () => unknown; driver?: boolean }) {
  const {
    driver = false,
    gpu = missing('@tensorflow/tfjs-node-gpu'),
    cpu = missing('@tensorflow/tfjs-node'),
  } = packages;
  vi.doMock('@tensorflow/tfjs-node-gpu', gpu as () => object);
  vi.doMock('@tensorflow/tfjs-node', cpu as () => object);
  vi.resetModules();
  vi.doMock('node:fs', async (original) => {
    const fs = await original<typeof import('node:fs')>();
    const existsSync = (path: string) => (path === '/proc/driver/nvidia/version' ? driver : fs.existsSync(path));
    return { ...fs, existsSync };
  });
  return import('../../src/tfjs/choose-backend.js');
}

afterEach(async () => {
  await tf.setBackend('cpu');
  if (tf.findBackendFactory('tensorflow')) tf.removeBackend('tensorflow');
  vi.doUnmock('@tensorflow/tfjs-node-gpu');
  vi.doUnmock('@tensorflow/tfjs-node');
  vi.doUnmock('node:fs');
  vi.unstubAllEnvs();
});

describe('tensorflow', () => {
  test('on a GPU is the first choice', async () => {
    const { chooseBackend } = await freshChoice({ gpu: () => tfjsNode({ gpu: true }), driver: true });
    const { name, reason } = await chooseBackend();
    expect(name, reason).toBe('tensorflow');
    expect(reason).toContain('@tensorflow/tfjs-node-gpu on a GPU');
  });

  test('is not even loaded by auto where no GPU can be', async () => {
    const load = vi.fn(() => tfjsNode({ gpu: true }));
    const { chooseBackend } = await freshChoice({ gpu: load, driver: true });
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '-1');
    const { name } = await chooseBackend();
    // Without the addon tensorflow on the CPU is next, and has to be loaded for that.
    expect(load).toHaveBeenCalledTimes(name === 'native' ? 0 : 1);
  });

  test('on the CPU comes after native', async () => {
    const { chooseBackend, backendReport } = await freshChoice({ cpu: () => tfjsNode({ gpu: false }) });
    const [tensorflow, , native] = await backendReport();
    expect(tensorflow).toMatchObject({ name: 'tensorflow', available: true });
    // Nothing loaded a libtensorflow here, so the kernels' ops have nowhere to register, and the detail says so.
    expect(tensorflow.detail).toMatch(/^@tensorflow\/tfjs-node on the CPU, kernels over copies \(.+\)$/);
    expect((await chooseBackend()).name).toBe(native.available ? 'native' : 'tensorflow');
    expect((await chooseBackend({ backend: 'tensorflow' })).name).toBe('tensorflow');
  });

  test('that does not load is reported with its error', async () => {
    const cpu = () => {
      throw new Error('libtensorflow.so.2: cannot open shared object file');
    };
    const { backendReport, chooseBackend } = await freshChoice({ cpu });
    const [tensorflow] = await backendReport();
    expect(tensorflow.available).toBe(false);
    expect(tensorflow.detail).toMatch(/@tensorflow\/tfjs-node does not load: .*/);
    expect(tensorflow.remedy).toContain('setup-tensorflow');
    expect((await chooseBackend()).name).not.toBe('tensorflow');
  });
});

describe('EAT_DML_TENSORFLOW_DIR', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('names the project to look in; nothing else is looked at', async () => {
    vi.stubEnv('EAT_DML_TENSORFLOW_DIR', '/no/such/project');
    const { backendReport } = await freshChoice({ cpu: () => tfjsNode({ gpu: false }) });
    const [tensorflow] = await backendReport();
    expect(tensorflow.available).toBe(false);
    expect(tensorflow.detail).toContain('is not installed in /no/such/project (no such folder)');
  });

  test('takes the package as that project has it', async () => {
    const project = mkdtempSync(join(tmpdir(), 'eat-dml-tensorflow-dir-'));
    const folder = join(project, 'node_modules/@tensorflow/tfjs-node');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"name": "@tensorflow/tfjs-node", "main": "index.cjs"}');
    writeFileSync(join(folder, 'index.cjs'), 'throw new Error("the one of the project")');
    vi.stubEnv('EAT_DML_TENSORFLOW_DIR', project);
    const { backendReport } = await freshChoice({});
    const [tensorflow] = await backendReport();
    expect(tensorflow.detail).toContain('@tensorflow/tfjs-node does not load: the one of the project');
    rmSync(project, { recursive: true });
  });
});

test('functions that Node 23 removed from util are there for tfjs-node', async () => {
  const util = (await import('node:util')).default as unknown as Record<string, (value: unknown) => boolean>;
  const saved = util.isNullOrUndefined;
  Reflect.deleteProperty(util, 'isNullOrUndefined');
  const { probeTensorflow } = await import('../../src/tfjs/tensorflow-backend.js');
  await probeTensorflow();
  expect([null, undefined, 0, ''].map((v) => util.isNullOrUndefined(v))).toEqual([true, true, false, false]);
  if (saved) util.isNullOrUndefined = saved;
});
