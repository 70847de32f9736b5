import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { expect, test, vi } from 'vitest';
import { program } from '../program.js';

const installed = ['webgpu', '@tensorflow/tfjs-backend-webgpu'].filter((name) => {
  try {
    return createRequire(import.meta.url).resolve(name) !== '';
  } catch {
    return false;
  }
});

/** Of all files that a fresh process opens for `code`, whether one is of those packages. */
function loads(code: string): boolean {
  const source = `
    ${code}
    const { createRequire } = await import('node:module');
    const cached = Object.keys(createRequire(import.meta.url).cache);
    const shared = process.report.getReport().sharedObjects;
    console.log(JSON.stringify([...cached, ...shared].some((path) => /tfjs-backend-webgpu|dawn\\.node/.test(path))));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' }));
}

test.skipIf(installed.length < 2)(
  'importing the package and choosing another backend loads nothing of WebGPU',
  async () => {
    const index = JSON.stringify(await program('src/index.ts'));
    expect(loads(`const { chooseBackend } = await import(${index}); await chooseBackend({ backend: 'cpu' });`)).toBe(
      false,
    );
    expect(loads("await import('webgpu'); await import('@tensorflow/tfjs-backend-webgpu');")).toBe(true);
  },
);

test('without the packages the backend says which to install, in one sentence', async () => {
  vi.doMock('node:module', async (original) => {
    const node = await original<typeof import('node:module')>();
    const resolve = (name: string) => {
      throw new Error(`Cannot find module '${name}'`);
    };
    return { ...node, createRequire: (from: string) => Object.assign(node.createRequire(from), { resolve }) };
  });
  const { probeWebgpuBackend } = await import('../../src/tfjs/webgpu/probe.js');
  expect(await probeWebgpuBackend()).toEqual({
    available: false,
    gpu: false,
    detail: 'the package webgpu is not installed',
    remedy: 'npm install webgpu @tensorflow/tfjs-backend-webgpu@4.22.0',
  });
});
