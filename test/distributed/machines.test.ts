import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { single } from '../../src/distributed/index.js';
import { hasCpu } from '../kernels/support.js';
import { builtFor, findMpis, type Job, launch } from './launch.js';
import { bitsOf, blobs, clustered } from './shard.js';

/** Two network namespaces, each with an address of its own: two machines, as far as their network tells. */
const machines = [0, 1].map((i) => ({
  name: `eat-dml-${process.pid}-${i}`,
  address: `10.77.${process.pid % 250}.${i + 1}`,
}));
const network = `10.77.${process.pid % 250}.0/24`;
const folder = mkdtempSync(join(tmpdir(), 'eat-dml-machines-'));
const mpi = findMpis().find(({ name }) => name === 'openmpi');

const ip = (...args: string[]) => spawnSync('ip', args, { encoding: 'utf8' });

/** Why they cannot be had here; undefined where they are there now. */
function whyNoMachines(): string | undefined {
  if (!mpi) return 'no Open MPI';
  const links = machines.map((_, i) => `eat${process.pid % 100_000}-${i}`);
  const commands = [
    ...machines.map(({ name }) => ['netns', 'add', name]),
    ['link', 'add', links[0], 'type', 'veth', 'peer', 'name', links[1]],
    ...machines.flatMap(({ name, address }, i) => [
      ['link', 'set', links[i], 'netns', name],
      ['-n', name, 'addr', 'add', `${address}/24`, 'dev', links[i]],
      ['-n', name, 'link', 'set', links[i], 'up'],
      ['-n', name, 'link', 'set', 'lo', 'up'],
    ]),
  ];
  for (const command of commands) {
    const { status, error, stderr } = ip(...command);
    if (status !== 0) return `ip ${command.join(' ')}: ${(error?.message ?? stderr).trim()}`;
  }
  return undefined;
}

const missing = whyNoMachines();
const agent = join(folder, 'agent.sh');
let addon: string;

afterAll(() => {
  for (const { name } of machines) ip('netns', 'del', name);
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(missing !== undefined)(`two machines${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    addon = await builtFor(mpi!);
    // As ssh is called: options, the host, a command.
    const cases = machines.map(({ name, address }) => `  ${address}) exec ip netns exec ${name} bash -c "$*";;`);
    const lines = [
      '#!/bin/bash',
      'while [[ $1 == -* ]]; do shift; done',
      'host=$1; shift',
      'case $host in',
      ...cases,
      'esac',
    ];
    writeFileSync(agent, `${lines.join('\n')}\n`);
    chmodSync(agent, 0o755);
  });

  const run = (name: string, more: Partial<Job> = {}) => {
    const mca = {
      ...{ plm_rsh_agent: agent, oob_tcp_if_include: network, btl: 'tcp,self', btl_tcp_if_include: network },
    };
    const settings = Object.entries(mca).flatMap(([key, value]) => ['--mca', key, value]);
    const hosts = machines.map(({ address }) => `${address}:1`).join(',');
    const by = ['ip', 'netns', 'exec', machines[0].name, mpi!.mpirun, '--host', hosts, '-n', '2', ...settings];
    // Variables go to the other machine by name.
    return launch({ mpi: mpi!, addon, ranks: 2, run: name, by: [...by, '-x', 'EAT_DML_MPI_PATH'], ...more });
  };

  test('ranks add, gather, broadcast and split over the network', async () => {
    const { code, told } = await run('operations');
    expect(code).toBe(0);
    for (const [wrong, gathered] of told) {
      expect(wrong).toEqual([]);
      expect(gathered).toHaveLength(3);
    }
  });

  test.skipIf(!hasCpu)('k-means over both has the bits of one process', async () => {
    const { code, told } = await run('clusters');
    const alone: string[] = [];
    for (const device of ['cpu', 'js'] as const)
      alone.push(bitsOf(await clustered(single(), blobs(1003, 5, 9), { k: 9, seed: 3, device })));
    expect(code).toBe(0);
    for (const bits of told) expect(bits.slice(0, 2)).toEqual(alone);
  });

  test.each([0, 1])('the job ends when the rank on machine %i is killed', async (rank) => {
    const killed = join(folder, `killed-${rank}`);
    const { code, at } = await run('killed', { args: [String(rank), '300', killed] });
    expect(code).not.toBe(0);
    expect(at - Number(readFileSync(killed, 'utf8'))).toBeLessThan(5000);
  });
});
