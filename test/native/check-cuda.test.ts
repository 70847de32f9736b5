import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Kernel {
  kernel: string;
  architecture: string;
  registers: number;
  shared: number;
  stack: number;
  spills: number;
}
const script = (name: string) => import(new URL(`../../scripts/${name}`, import.meta.url).href);
const { complaints, readReport } = (await script('check-cuda.mjs')) as {
  readReport: (text: string) => Kernel[];
  complaints: (kernels: Kernel[]) => string[];
};
const { findNvcc } = (await script('device-addon.mjs')) as { findNvcc: () => string | undefined };

const REPORT = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN3eat4cuda15threads_per_rowILi512ELi8ENS0_7RowStepEEEvT1_' for 'sm_90a'
ptxas info    : Function properties for _ZN3eat4cuda15threads_per_rowILi512ELi8ENS0_7RowStepEEEvT1_
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 68 registers, used 1 barriers, 1536 bytes smem, 488 bytes cmem[0], 32 bytes cmem[2]
ptxas info    : Compiling entry function '_ZN3eat4cuda4slowEv' for 'sm_80'
ptxas info    : Function properties for _ZN3eat4cuda4slowEv
    40 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 255 registers, 360 bytes cmem[0]`;

describe("the check of the CUDA compiler's report", () => {
  it('reads registers, shared memory, stack and spills of each kernel', () => {
    expect(readReport(REPORT)).toMatchObject([
      { kernel: 'threads_per_row<512, 8>', architecture: '90a', registers: 68, shared: 1536, stack: 0, spills: 0 },
      { kernel: 'slow', architecture: '80', registers: 255, shared: 0, stack: 40, spills: 20 },
    ]);
  });

  it('complains of local memory, and of nothing else', () => {
    expect(complaints(readReport(REPORT))).toEqual([
      'sm_80 slow: 40 bytes of stack, 20 bytes of spills (_ZN3eat4cuda4slowEv)',
    ]);
  });

  const nvcc = findNvcc();
  it.skipIf(nvcc === undefined)('sees what this nvcc says of a kernel that indexes a local array', () => {
    const folder = mkdtempSync(join(tmpdir(), 'eat-dml-spill-'));
    const source = join(folder, 'spilled.cu');
    writeFileSync(
      source,
      '__global__ void spilled(int *x, int n) { int a[64]; for (int i = 0; i < n; i++) a[x[i] & 63] = i; x[0] = a[n & 63]; }\n',
    );
    const { stderr, stdout } = spawnSync(
      nvcc!,
      ['-arch=sm_80', '-Xptxas=-v', '-c', source, '-o', join(folder, 'out.o')],
      { encoding: 'utf8' },
    );
    rmSync(folder, { recursive: true, force: true });
    expect(complaints(readReport(stdout + stderr))[0]).toMatch(/^sm_80 spilled: 256 bytes of stack/);
  });
});
