/** Time that the calls of one kernel took, kernels that it called itself not counted. */
export interface KernelTime {
  kernel: string;
  /** `native`: computed by the addon; `inherited`: by tfjs's cpu backend. */
  path: 'native' | 'inherited';
  calls: number;
  milliseconds: number;
  /** Floating-point operations of products; 0 for every other kernel. */
  flops: number;
}

export interface KernelProfile {
  /** From start to stop, what is not in a kernel included. */
  milliseconds: number;
  /** The longest first. */
  kernels: KernelTime[];
  /** The inherited kernel that took the most time, if any ran. */
  slowestInherited?: KernelTime;
}

type Call = Pick<KernelTime, 'kernel' | 'path'> & { flops: number };

/** What one profile gathers. */
class KernelClock {
  private readonly start = performance.now();
  private readonly times = new Map<string, KernelTime>();
  private inCalled = 0;

  measure<T>({ kernel, path, flops }: Call, run: () => T): T {
    const outer = this.inCalled;
    this.inCalled = 0;
    const start = performance.now();
    try {
      return run();
    } finally {
      const elapsed = performance.now() - start;
      const key = `${path} ${kernel}`;
      const time = this.times.get(key) ?? { kernel, path, calls: 0, milliseconds: 0, flops: 0 };
      time.calls++;
      time.milliseconds += elapsed - this.inCalled;
      time.flops += flops;
      this.times.set(key, time);
      this.inCalled = outer + elapsed;
    }
  }

  profile(): KernelProfile {
    const kernels = [...this.times.values()].sort((a, b) => b.milliseconds - a.milliseconds);
    const slowestInherited = kernels.find(({ path }) => path === 'inherited');
    return { milliseconds: performance.now() - this.start, kernels, slowestInherited };
  }
}

let clock: KernelClock | undefined;

/** The clock that runs, if any. */
export function runningClock(): KernelClock | undefined {
  return clock;
}

/** Times every kernel of the backend 'native' from now on; what was timed before is dropped. */
export function startKernelProfile(): void {
  clock = new KernelClock();
}

/** Stops timing, and tells where the time went; undefined where none was started. */
export function stopKernelProfile(): KernelProfile | undefined {
  const profile = clock?.profile();
  clock = undefined;
  return profile;
}
