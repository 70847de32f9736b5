import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** As a CUDA addon: opens the driver when it is loaded, and is none where that fails. */
const ADDON = `
#include <dlfcn.h>
#include <stdio.h>
#include <node_api.h>
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
  napi_value function;
  napi_create_function(env, "info", NAPI_AUTO_LENGTH, info, 0, &function);
  napi_set_named_property(env, exports, "info", function);
  return exports;
}`;

const DRIVERS: Record<string, string> = {
  works: 'int cuInit(unsigned flags) { return 0; }',
  aborts: '#include <stdlib.h>\nint cuInit(unsigned flags) { abort(); }',
  'ends the process': '#include <unistd.h>\nint cuInit(unsigned flags) { _exit(0); }',
  fails: 'int cuInit(unsigned flags) { return 999; }',
  hangs: '#include <unistd.h>\nint cuInit(unsigned flags) { for (;;) sleep(1); }',
};

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-probe-'));
const kernels = fileURLToPath(new URL('../../src/kernels/index.ts', import.meta.url));
const compiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
const headers = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include');

function compile(name: string, source: string, output: string): string {
  const [from, to] = [join(folder, `${name}.c`), join(folder, output)];
  writeFileSync(from, source);
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('cc', ['-shared', '-fPIC', '-w', `-I${headers}`, '-DNAPI_VERSION=8', from, '-o', to, '-ldl']);
  return to;
}

/** devices() and one call by name, in a process with that driver on the loader's path. */
function ask(addon: string, driver: string | undefined) {
  const program = `
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
  const env = {
    ...process.env,
    EAT_DML_CUDA_PATH: addon,
    EAT_DML_PROBE_TIMEOUT_MS: '1500',
    ...(driver && { LD_LIBRARY_PATH: dirname(driver) }),
  };
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    env,
    encoding: 'utf8',
  });
  expect(child.status, child.stderr).toBe(0);
  return JSON.parse(child.stdout) as {
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
