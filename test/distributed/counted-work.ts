import { type AddonKernel, loadAddon } from '../../src/kernels/load-addon.js';

/** What clusterings, searches and assignments come to, and the rows that RobRank's measures take distances of. */
export interface Work {
  starts: number;
  queries: number;
  assigned: number;
  distances: number;
}

interface Args {
  starts: number;
  queries: { rows: number };
  points: { rows: number };
  a: { rows: number };
}

const COUNTED: [kernel: string, of: keyof Work, count: (args: Args) => number][] = [
  ['kmeans', 'starts', ({ starts }) => starts],
  ['nearestNeighbors', 'queries', ({ queries }) => queries.rows],
  ['nearestCentroid', 'assigned', ({ points }) => points.rows],
  ['pairwiseDistance', 'distances', ({ a }) => a.rows],
];

/**
 * What the addon of this process is asked for off the event loop while `work` runs: evaluations cluster and search so, and attacks do not.
 * `before` is told of each such call first.
 */
export async function countedWork<T>(work: () => Promise<T>, before?: (kernel: string) => void): Promise<[T, Work]> {
  const addon = loadAddon()!;
  const counts: Work = { starts: 0, queries: 0, assigned: 0, distances: 0 };
  const own = COUNTED.map(([name]) => [name, addon[name] as AddonKernel] as const);
  for (const [i, [name, kernel]] of own.entries()) {
    const [, of, count] = COUNTED[i];
    addon[name] = (args: object, async: boolean) => {
      if (async) {
        before?.(name);
        counts[of] += count(args as Args);
      }
      return kernel(args, async);
    };
  }
  try {
    return [await work(), counts];
  } finally {
    for (const [name, kernel] of own) addon[name] = kernel;
  }
}
