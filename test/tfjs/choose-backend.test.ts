import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { EatDmlError } from '../../src/errors.js';
import { backendReport, chooseBackend } from '../../src/tfjs/index.js';
import { backends } from './backends.js';

const listeners = process.rawListeners('uncaughtException');

describe('the choice of a backend', () => {
  test('every backend that is there can be chosen by name', async () => {
    for (const name of backends) {
      expect((await chooseBackend({ backend: name })).name).toBe(name);
      expect(tf.getBackend()).toBe(name);
      expect(name).not.toContain('_');
    }
  });

  test('auto takes the first there is, and says why', async () => {
    const { name, reason } = await chooseBackend();
    const report = await backendReport();
    const onGpu = report.filter(({ available, detail }) => available && /a GPU|a graphics card/.test(detail));
    const order = [...onGpu.map((r) => r.name), 'native', 'tensorflow', 'wasm', 'cpu'];
    const there = report.filter(({ available }) => available).map((r) => r.name);
    expect(name).toBe(order.find((candidate) => there.includes(candidate as never)));
    expect(reason).toContain(report.find((r) => r.name === name)!.detail);
    expect(report.filter(({ auto }) => auto).map((r) => r.name)).toEqual([name]);
  });

  test('a backend that is not there throws, with the remedy', async () => {
    const absent = (await backendReport()).filter(({ available }) => !available);
    for (const { name, detail, remedy } of absent) {
      const error = await chooseBackend({ backend: name }).catch((e) => e);
      expect(error).toBeInstanceOf(EatDmlError);
      expect(error.code).toBe('ERR_BACKEND');
      expect(error.message).toContain(name);
      expect(error.message).toContain(detail);
      expect(error.hint).toBe(remedy);
      expect(remedy).toBeTruthy();
    }
  });

  test('a name that is none throws', async () => {
    await expect(chooseBackend({ backend: 'webgl' as never })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('the report lists all five and leaves the backend in use', async () => {
    await chooseBackend({ backend: 'cpu' });
    const report = await backendReport();
    expect(report.map(({ name }) => name)).toEqual(['tensorflow', 'webgpu', 'native', 'wasm', 'cpu']);
    for (const { available, detail, remedy } of report) {
      expect(detail.length).toBeGreaterThan(5);
      expect(available).toBe(remedy === undefined);
    }
    expect(tf.getBackend()).toBe('cpu');
  });

  test('starting wasm leaves no listener that prints the module’s source', async () => {
    await chooseBackend({ backend: 'wasm' });
    expect(process.rawListeners('uncaughtException')).toEqual(listeners);
  });
});
