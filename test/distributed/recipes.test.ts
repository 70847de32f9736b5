import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Job } from 'kubernetes-models/batch/v1';
import { PodTemplateSpec } from 'kubernetes-models/v1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { run } from '../packaging/run.js';

const folder = mkdtempSync(join(tmpdir(), 'eat-dml-recipes-'));
const bin = join(folder, 'bin');
const read = (name: string) => readFileSync(`examples/cluster/${name}`, 'utf8');

/** Programs that say how they were called. */
beforeAll(() => {
  mkdirSync(bin);
  for (const name of ['srun', 'npx', 'mpirun']) {
    writeFileSync(join(bin, name), `#!/bin/bash\nprintf '%s\\n' ${name} "$@" "threads $EAT_DML_THREADS"\n`);
    chmodSync(join(bin, name), 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The words of the one command that a script ends in. */
async function called(command: string, args: string[], env: Record<string, string>, cwd = process.cwd()) {
  const PATH = `${bin}${delimiter}${process.env.PATH}`;
  const { code, stdout, stderr } = await run(command, args, { cwd, env: { PATH, ...env } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim().split('\n');
}

describe('Slurm', () => {
  test('a training starts anew, and is resumed where there is a checkpoint', async () => {
    const out = join(folder, 'run');
    const train = ['npx', 'eat-dml', 'train', '--distributed', '--config', 'eat.jsonc', '--out', out];
    const start = () =>
      called('bash', ['examples/cluster/train.slurm', 'eat.jsonc', out], { SLURM_CPUS_PER_TASK: '16' });
    const step = ['srun', '--mpi=pmix', '--cpus-per-task=16'];
    expect(await start()).toEqual([...step, ...train, 'threads 16']);
    mkdirSync(out);
    writeFileSync(join(out, 'manifest.json'), '{}');
    expect(await start()).toEqual([...step, ...train, '--resume', 'threads 16']);
  });

  test.each([
    [{ SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_COUNT: '8' }, '1/8'],
    [{ SLURM_ARRAY_TASK_ID: '8', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '8' }, '8/8'],
  ])('a task of an array takes its shard of a sweep: %j', async (env, shard) => {
    const words = await called('bash', ['examples/cluster/sweep.slurm', 'sweep.json'], {
      ...env,
      SLURM_CPUS_PER_TASK: '8',
    });
    expect(words).toEqual(['npx', 'eat-dml', 'sweep', 'sweep.json', '--shard', shard, 'threads 8']);
  });
});

describe('Kubernetes', () => {
  test('the Indexed Job fits its schema, and each pod takes its shard', async () => {
    const job = parse(read('sweep-job.yaml'));
    new Job(job).validate();
    expect(Object.keys(job.spec).sort()).toEqual([
      'backoffLimit',
      'completionMode',
      'completions',
      'parallelism',
      'template',
    ]);
    const [{ command, args, env }] = job.spec.template.spec.containers;
    const [shell, ...flags] = command;
    const shards: string[] = [];
    for (let i = 0; i < job.spec.completions; i++) {
      const words = await called(shell, [...flags, ...args], {
        JOB_COMPLETION_INDEX: String(i),
        [env[0].name]: env[0].value,
      });
      shards.push(words.at(-2)!);
    }
    expect(shards).toEqual(Array.from({ length: 8 }, (_, i) => `${i + 1}/8`));
  });

  // The operator's own schema is on no registry: its keys, of v2beta1, that are used here.
  const replica = z.strictObject({ replicas: z.int().min(1), template: z.looseObject({}) });
  const mpiJob = z.strictObject({
    apiVersion: z.literal('kubeflow.org/v2beta1'),
    kind: z.literal('MPIJob'),
    metadata: z.strictObject({ name: z.string().regex(/^[a-z0-9-]+$/) }),
    spec: z.strictObject({
      slotsPerWorker: z.int().min(1),
      mpiImplementation: z.enum(['OpenMPI', 'Intel', 'MPICH']),
      sshAuthMountPath: z.string(),
      runPolicy: z.strictObject({ cleanPodPolicy: z.enum(['None', 'Running', 'All']), backoffLimit: z.int() }),
      mpiReplicaSpecs: z.strictObject({ Launcher: replica, Worker: replica }),
    }),
  });

  test('the MPIJob starts as many ranks as it has workers, and resumes', async () => {
    const { spec } = mpiJob.parse(parse(read('train-mpijob.yaml')));
    const { Launcher, Worker } = spec.mpiReplicaSpecs;
    for (const { template } of [Launcher, Worker]) new PodTemplateSpec(template as never).validate();
    const [{ command, args, env }] = (Launcher.template as never as { spec: { containers: Container[] } }).spec
      .containers;
    const start = () => called(command[0], [...command.slice(1), ...args], { [env[0].name]: env[0].value }, folder);
    const words = await start();
    expect(words.slice(0, 3)).toEqual(['mpirun', '--bind-to', 'none']);
    expect(words[words.indexOf('-n') + 1]).toBe(String(Worker.replicas * spec.slotsPerWorker));
    expect(words.slice(-2)).toEqual(['eat', 'threads 16']);
    mkdirSync(join(folder, 'eat'));
    writeFileSync(join(folder, 'eat/manifest.json'), '{}');
    expect((await start()).at(-2)).toBe('--resume');
  });
});

interface Container {
  command: string[];
  args: string[];
  env: { name: string; value: string }[];
}
