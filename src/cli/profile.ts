import {
  type KernelProfile,
  resetTensorKernelCalls,
  startKernelProfile,
  stopKernelProfile,
  type TensorKernelCalls,
  tensorKernelCalls,
} from '../tfjs/index.js';
import { kernelProfileLines } from './kernel-profile.js';

export interface Profile {
  /** Kernels on tensors (attack steps, projections, distances) and the path that each took to their values. */
  tensorKernels: TensorKernelCalls[];
  /** Kernels of the backend `native`; none on others. */
  native?: KernelProfile;
}

/** Starts counting where `--profile` asks for it; what is returned ends it. */
export function startProfile(wanted: boolean | undefined, backend: string): () => Profile | undefined {
  if (!wanted) return () => undefined;
  resetTensorKernelCalls();
  if (backend === 'native') startKernelProfile();
  return () => ({
    tensorKernels: tensorKernelCalls(),
    ...(backend === 'native' ? { native: stopKernelProfile() } : {}),
  });
}

/** Lines for a person, on stderr. */
export function profileText({ tensorKernels, native }: Profile): string {
  const rows = tensorKernels.map(({ kernel, path, calls, seconds, bytesCopied }) => [
    kernel,
    path,
    `${calls} calls`,
    `${seconds.toFixed(3)} s`,
    `${(bytesCopied / 1e6).toFixed(1)} MB copied`,
  ]);
  return [
    ['Kernels on tensors', ...table(rows)],
    native ? ['Kernels of the backend native', ...kernelProfileLines(native).map((line) => `  ${line}`)] : [],
  ]
    .flat()
    .map((line) => `${line}\n`)
    .join('');
}

function table(rows: string[][]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(cell.length, most[i] ?? 0)), []);
  return rows.map(
    (row) =>
      `  ${row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd()}`,
  );
}
