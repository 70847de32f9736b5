import { afterEach, expect, test, vi } from 'vitest';
import { launchOf } from '../../src/distributed/launcher.js';
import { beginMpi } from '../../src/distributed/mpi.js';
import { type Group, initDistributed, single } from '../../src/index.js';

afterEach(() => vi.unstubAllEnvs());

const fault = (code: string, text: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(text) });

test('alone, every operation gives back what it was given', async () => {
  const group = single();
  expect({ rank: group.rank, size: group.size }).toEqual({ rank: 0, size: 1 });
  const values = Float32Array.of(1, 2);
  expect(await group.allReduce(values)).toBe(values);
  expect(await group.allReduce(values, { order: 'any' })).toBe(values);
  expect((await group.allGather(values))[0]).toBe(values);
  expect(await group.broadcast(values)).toBe(values);
  expect(group.allReduceNow(values, { order: 'tree' })).toBe(values);
  expect(group.startAllReduce(values)()).toBe(values);
  expect(group.allGatherNow(values)[0]).toBe(values);
  const into = new Float32Array(2);
  expect(group.startAllReduce(values, { into })()).toBe(into);
  expect([...into]).toEqual([1, 2]);
  expect(group.allGatherNow(into, { into })[0]).toBe(into);
  await group.barrier();
  expect(await group.split(3)).toBe(group);
  await group.finalize();
  expect(await group.allReduce(values)).toBe(values);
});

test('what cannot be sent is thrown at once by the forms that wait', () => {
  expect(() => single().allReduceNow(new Uint8Array(1) as never)).toThrow(fault('ERR_ARGUMENT', /for values but/));
  expect(() => single().allGatherNow([1] as never)).toThrow(fault('ERR_ARGUMENT', /for values but received \[1\]/));
  const sumInto = (into: unknown) => () => single().allReduceNow(new Float32Array(2), { into: into as never });
  expect(sumInto(new Float64Array(2))).toThrow(
    fault('ERR_ARGUMENT', /^Expected a Float32Array \(the type of values\) for into/),
  );
  expect(sumInto(new Float32Array(3))).toThrow(fault('ERR_ARGUMENT', /^Expected an array of 2 values for into/));
});

test.each<[string, (group: Group) => Promise<unknown>, RegExp]>([
  ['a list', (g) => g.allReduce([1] as never), /^Expected a Float32Array, Float64Array or Int32Array for values but/],
  ['bytes to add up', (g) => g.allReduce(new Uint8Array(1) as never), /but received a Uint8Array of length 1\.$/],
  [
    'an unknown order',
    (g) => g.allReduce(new Float32Array(1), { order: 'all' as never }),
    /one of rank, tree, any for order/,
  ],
  ['no options', (g) => g.allReduce(new Float32Array(1), null as never), /^Expected an object for options/],
  ['shorts', (g) => g.allGather(new Int16Array(1) as never), /for values but received a Int16Array/],
  [
    'a root that is not there',
    (g) => g.broadcast(new Uint8Array(1), 1),
    /^Expected an integer in \[0, 1\) for root but/,
  ],
  ['a color below 0', (g) => g.split(-1), /for color but received -1/],
  ['half a key', (g) => g.split(0, 0.5), /for key but received 0\.5/],
])('refuses %s', async (_, call, message) => {
  await expect(call(single())).rejects.toThrow(fault('ERR_ARGUMENT', message));
});

test('detached values are refused', async () => {
  const values = new Float32Array(2);
  structuredClone(values, { transfer: [values.buffer] });
  await expect(single().allReduce(values)).rejects.toThrow(fault('ERR_ARGUMENT', /detached/));
});

test('a launcher is known by its variable, mpirun before the srun that started its daemons', () => {
  expect(launchOf({})).toBeUndefined();
  // A batch script has it too.
  expect(launchOf({ SLURM_NTASKS: '4' })).toBeUndefined();
  expect(launchOf({ SLURM_STEP_NUM_TASKS: '4' })).toMatchObject({ size: 4, launcher: 'srun of Slurm' });
  expect(launchOf({ SLURM_STEP_NUM_TASKS: '2', PMI_SIZE: '8' })).toMatchObject({ size: 8, variable: 'PMI_SIZE' });
  const open = launchOf({ SLURM_STEP_NUM_TASKS: '2', OMPI_COMM_WORLD_SIZE: '16' });
  expect(open).toEqual({ size: 16, launcher: 'mpirun of Open MPI', variable: 'OMPI_COMM_WORLD_SIZE' });
  for (const text of ['0', 'two', '-1', '1e3']) {
    expect(() => launchOf({ PMI_SIZE: text })).toThrow(fault('ERR_DISTRIBUTED', /in PMI_SIZE but received/));
  }
});

function alone(): void {
  for (const name of ['OMPI_COMM_WORLD_SIZE', 'PMI_SIZE', 'SLURM_STEP_NUM_TASKS']) vi.stubEnv(name, '');
}

test('without a launcher, or with one rank, the group is that of one', async () => {
  alone();
  expect(await initDistributed()).toBe(single());
  await expect(initDistributed({ strict: true })).rejects.toThrow(fault('ERR_DISTRIBUTED', /^Expected a launcher/));
  await expect(initDistributed({ stric: true } as never)).rejects.toThrow(fault('ERR_ARGUMENT', /strict/));
  vi.stubEnv('PMI_SIZE', '1');
  expect(await initDistributed({ strict: true })).toBe(single());
});

test('a rank that waits for others to start says so', async () => {
  const said: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const late = async () => {
    await new Promise((resolve) => setTimeout(resolve, 150));
    return { group: 0, rank: 1, size: 2, buffer: new ArrayBuffer(0), counts: [] };
  };
  const launch = { size: 2, launcher: 'mpirun', variable: 'PMI_SIZE' };
  const group = await beginMpi(
    {
      begin: late,
      run: late,
      runNow: () => late() as never,
      start: () => late() as never,
      info: () => ({ library: '' }),
    },
    launch,
    0.05,
  );
  write.mockRestore();
  expect({ rank: group.rank, size: group.size }).toEqual({ rank: 1, size: 2 });
  expect(said[0]).toBe('eat-dml: MPI_Init has waited 0 s for all 2 ranks to start\n');
});

test('several ranks without the addon are an error that says how to build it, never worlds of one', async () => {
  alone();
  vi.stubEnv('PMI_SIZE', '2');
  vi.stubEnv('UCX_MEM_EVENTS', undefined);
  vi.doMock('../../src/kernels/load-addon.js', () => ({ mpiAddon: () => ({ attempts: [] }) }));
  vi.resetModules();
  const { initDistributed: anew } = await import('../../src/distributed/index.js');
  await expect(anew()).rejects.toThrow(
    expect.objectContaining({
      code: 'ERR_DISTRIBUTED',
      message: 'Expected the MPI addon for the 2 ranks of mpirun of MPICH, but none is built.',
      hint: expect.stringContaining('eat-dml build --mpi'),
    }),
  );
  expect(process.env.UCX_MEM_EVENTS).toBe('n');
  vi.doUnmock('../../src/kernels/load-addon.js');
});
