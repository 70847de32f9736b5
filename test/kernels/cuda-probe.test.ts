import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { program } from '../program.js';
import { hasCpu } from './support.js';

/** As a CUDA addon: opens the driver when it is loaded, and is none where that fails. */
const ADDON = `
#include <dlfcn.h>
#include <stdio.h>
#include <node_api.h>
static napi_value here(napi_env env, napi_callback_info call) {
  napi_throw_error(env, 0, "ran on the GPU");
  return 0;
}
static napi_value upload(napi_env env, napi_callback_info call) {
  napi_value out, resident;
  napi_create_object(env, &out);
  napi_create_object(env, &resident);
  napi_set_named_property(env, out, "resident", resident);
  return out;
}
static napi_value info(napi_env env, napi_callback_info call) {
  napi_value out, isa;
  napi_create_object(env, &out);
  napi_create_string_utf8(env, "Some GPU, sm_80", NAPI_AUTO_LENGTH, &isa);
  napi_set_named_property(env, out, "isa", isa);
  return out;
}
NAPI_MODULE_INIT() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  int (*init)(unsigned) = driver ? (int (*)(unsigned))dlsym(driver, "cuInit") : 0;
  int code = init ? init(0) : -1;
  char message[64];
  snprintf(message, sizeof message, "CUDA: cuInit gave %d", code);
  if (code != 0) { napi_throw_error(env, 0, message); return 0; }
  napi_property_descriptor all[] = {
    {"info", 0, info, 0, 0, 0, napi_enumerable, 0},
    {"uploadMatrix", 0, upload, 0, 0, 0, napi_enumerable, 0},
    {"deviceLimits", 0, here, 0, 0, 0, napi_enumerable, 0},
    {"nearestCentroid", 0, here, 0, 0, 0, napi_enumerable, 0},
    {"attackStep", 0, here, 0, 0, 0, napi_enumerable, 0},
  };
  napi_define_properties(env, exports, 5, all);
  return exports;
}`;

const DRIVERS: Record<string, string> = {
  works: 'int cuInit(unsigned flags) { return 0; }',
  aborts: '#include <stdlib.h>\nint cuInit(unsigned flags) { abort(); }',
  'ends the process': '#include <unistd.h>\nint cuInit(unsigned flags) { _exit(0); }',
  fails: 'int cuInit(unsigned flags) { return 999; }',
  hangs: '#include <unistd.h>\nint cuInit(unsigned flags) { for (;;) sleep(1); }',
};

const TOO_OLD = `int cuDriverGetVersion(int *version) { *version = 11040; return 0; }
int cuInit(unsigned flags) { return 0; }`;

const { deviceOutput } = (await import(new URL('../../scripts/device-addon.mjs', import.meta.url).href)) as {
  deviceOutput(device: string): string;
};
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-probe-'));
const kernels = await program('src/kernels/index.ts');
const compiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');

function compile(name: string, source: string, output: string): string {
  const [from, to] = [join(folder, `${name}.c`), join(folder, output)];
  writeFileSync(from, source);
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('cc', ['-shared', '-fPIC', '-w', `-I${headers}`, '-DNAPI_VERSION=8', from, '-o', to, '-ldl']);
  return to;
}

function environment(addon: string, driver: string | undefined) {
  return {
    ...process.env,
    EAT_DML_CUDA_PATH: addon,
    // A busy machine starts a process in seconds.
    EAT_DML_PROBE_TIMEOUT_MS: driver?.includes('hangs') ? '1500' : '60000',
    ...(driver && { LD_LIBRARY_PATH: dirname(driver) }),
  };
}

/** What `code` prints as JSON, in a process with that driver on the loader's path. */
function run(code: string, addon: string, driver: string | undefined): unknown {
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env: environment(addon, driver),
    encoding: 'utf8',
  });
  expect(child.status, child.stderr).toBe(0);
  return JSON.parse(child.stdout);
}

/** devices() and one call by name. */
function ask(addon: string, driver: string | undefined) {
  const code = `
    import { devices, pairwiseDistanceSync } from ${JSON.stringify(kernels)};
    const m = { data: Float32Array.of(1, 2), rows: 1, cols: 2 };
    const start = performance.now();
    const [cuda] = devices();
    const again = performance.now();
    devices();
    let error;
    try { pairwiseDistanceSync(m, m, { device: 'cuda' }); } catch (e) { error = e.code + ': ' + e.message; }
    const auto = pairwiseDistanceSync(m, m).data[0];
    process.stdout.write(JSON.stringify({ cuda, error, auto, cached: performance.now() - again < again - start }));`;
  return run(code, addon, driver) as {
    cuda: { available: boolean; detail: string };
    error: string;
    auto: number;
    cached: boolean;
  };
}

const describeProbe = compiler ? describe : describe.skip;

describeProbe('the CUDA addon is probed in a child', () => {
  const addon = compiler ? compile('addon', ADDON, 'addon.node') : '';
  const drivers = Object.fromEntries(
    Object.entries(compiler ? DRIVERS : {}).map(([name, source]) => [
      name,
      compile(name.replaceAll(' ', '-'), source, `${name.replaceAll(' ', '-')}/libcuda.so.1`),
    ]),
  );

  test.each([
    ['aborts', 'it crashes with SIGABRT'],
    ['ends the process', 'it ended with status 0'],
    ['fails', 'CUDA: cuInit gave 999'],
    ['hangs', 'the CUDA driver did not answer in 1.5 s'],
  ])('a driver that %s is told, and the CPU is used', (name, failure) => {
    const { cuda, error, auto, cached } = ask(addon, drivers[name]);
    expect(cuda.available).toBe(false);
    expect(cuda.detail).toContain(failure);
    expect(error).toMatch(/^ERR_DEVICE: Device cuda is not available: the CUDA addon at .* does not run: /);
    expect(error).toContain(failure);
    expect({ auto, cached }).toEqual({ auto: 0, cached: true });
  });

  test('no driver is told', () => {
    expect(ask(addon, undefined).cuda).toMatchObject({
      available: false,
      detail: expect.stringContaining('CUDA_VISIBLE_DEVICES'),
    });
  });

  // The runtime itself reports both as "CUDA driver version is insufficient".
  test.skipIf(!existsSync(deviceOutput('cuda')))('the real addon tells no driver from one that is too old', () => {
    const old = compile('too-old', TOO_OLD, 'too-old/libcuda.so.1');
    expect(ask(deviceOutput('cuda'), old).cuda.detail).toMatch(
      /does not run: the NVIDIA driver is too old: it knows CUDA up to 11\.4, and \d+\.\d is needed\. It takes/,
    );
    const { detail, available } = ask(deviceOutput('cuda'), undefined).cuda;
    if (available || existsSync('/proc/driver/nvidia/version')) return;
    expect(detail).toMatch(/does not run: there is no NVIDIA driver\. Where there is a GPU/);
  });

  // Beside js alone a GPU would be worth more.
  test.skipIf(!hasCpu)('auto leaves small calls and those bound by copying to the CPU; cuda by name does not', () => {
    const code = `
      import { attackStepSync, nearestCentroidSync, uploadMatrix } from ${JSON.stringify(kernels)};
      const m = (rows, cols) => ({ data: new Float32Array(rows * cols), rows, cols });
      const step = { norm: 'linf', epsilon: 0.1, stepSize: 0.02 };
      const attack = (x, device) => attackStepSync({ ...step, origin: x, current: x, gradient: x, device });
      const [images, points] = [m(64, 150528), m(20000, 512)];
      const calls = {
        small: () => nearestCentroidSync(m(10, 4), m(3, 4)),
        smallByName: () => nearestCentroidSync(m(10, 4), m(3, 4), { device: 'cuda' }),
        large: () => nearestCentroidSync(points, m(4096, 512)),
        copied: () => attack(images),
        copiedByName: () => attack(images, 'cuda'),
        uploaded: () => attack(uploadMatrix(images)),
      };
      const where = {};
      for (const [name, call] of Object.entries(calls)) {
        try { call(); where[name] = 'cpu'; } catch (e) { where[name] = e.message === 'ran on the GPU' ? 'cuda' : e.message; }
      }
      process.stdout.write(JSON.stringify(where));`;
    expect(run(code, addon, drivers.works)).toEqual({
      ...{ small: 'cpu', smallByName: 'cuda', large: 'cuda', copied: 'cpu', copiedByName: 'cuda', uploaded: 'cuda' },
    });
  });

  test('auto does not even open the driver for a small call', () => {
    const opened = join(folder, 'opened');
    const source = `#include <fcntl.h>\nint cuInit(unsigned flags) { creat("${opened}", 0600); return 0; }`;
    const driver = compile('tells', source, 'tells/libcuda.so.1');
    const code = (rest: string) => `
      import { devices, pairwiseDistanceSync } from ${JSON.stringify(kernels)};
      const m = { data: Float32Array.of(1, 2), rows: 1, cols: 2 };
      pairwiseDistanceSync(m, m);
      ${rest}
      process.stdout.write('0');`;
    run(code(''), addon, driver);
    expect(existsSync(opened)).toBe(false);
    run(code('devices();'), addon, driver);
    expect(existsSync(opened)).toBe(true);
  });

  test('one that works is used; what it has no kernel for runs on the CPU', () => {
    const { cuda, error, auto } = ask(addon, drivers.works);
    expect(cuda).toMatchObject({ available: true, detail: expect.stringContaining('Some GPU, sm_80') });
    expect(error).toBe('ERR_DEVICE: Device cuda has no pairwiseDistance: use device auto or cpu for it.');
    expect(auto).toBe(0);
  });
});

test('without an addon cuda throws one sentence that says what to do', () => {
  const { cuda, error, auto } = ask(join(folder, 'none.node'), undefined);
  if (cuda.available) return; // a GPU is here, with an addon that was built for it
  expect(error).toMatch(
    /^ERR_DEVICE: Device cuda is not available: the CUDA addon .*(npx eat-dml build --cuda|nvidia-smi)/,
  );
  expect(auto).toBe(0);
});
