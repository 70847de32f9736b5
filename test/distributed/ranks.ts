/** What the ranks of a test do: `node ranks.js NAME ...` under mpirun. */
import { writeFileSync } from 'node:fs';
import { parentPort, Worker } from 'node:worker_threads';
import { type Group, initDistributed, type Summable, type SyncGroup } from '../../src/distributed/index.js';
import { bitsOf, blobs, clustered, found, hashOf } from './shard.js';
import { evaluatedBits, type RunOptions, trainedBits } from './training.js';

const args = process.argv.slice(3);

/** A rank that is not yet known is the launcher's. */
const ownRank = Number(process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK);
const tell = (what: unknown) => process.stdout.write(`told ${JSON.stringify({ rank: ownRank, what })}\n`);
const fault = ({ code, message }: Error & { code?: string }) => `${code}: ${message}`;

const over = 'ERR_DISTRIBUTED: Expected a group of this thread that is not finalized.';

const TYPES = { Float32Array, Float64Array, Int32Array };
type Name = keyof typeof TYPES;

/** What rank `rank` gives: every rank can tell what the others give. Sums of these floats depend on their order. */
function given(name: Name, length: number, rank: number): Summable {
  const values = new TYPES[name](length);
  let state = rank + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = name === 'Int32Array' ? state : (state / 2 ** 31) * 2 ** ((state >>> 3) & 15);
  }
  return values;
}

function sumInOrder(name: Name, length: number, size: number): Summable {
  const sum = given(name, length, 0);
  for (let r = 1; r < size; r++) {
    const values = given(name, length, r);
    for (let i = 0; i < length; i++) sum[i] += values[i];
  }
  return sum;
}

/** As `order: 'tree'` has it: the left half of the ranks is the largest power of two that leaves something. */
function sumAsTree(name: Name, length: number, begin: number, end: number): Summable {
  if (end - begin === 1) return given(name, length, begin);
  let half = 1;
  while (half * 2 < end - begin) half *= 2;
  const sum = sumAsTree(name, length, begin, begin + half);
  const right = sumAsTree(name, length, begin + half, end);
  for (let i = 0; i < length; i++) sum[i] += right[i];
  return sum;
}

const isSame = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

/** Tells the names of what came out wrong. */
async function sums(group: SyncGroup): Promise<void> {
  const wrong: string[] = [];
  // More than the chunk that is summed at once.
  const longer = group.size === 2 ? 2 ** 22 + 5 : 70_001;
  for (const name of Object.keys(TYPES) as Name[]) {
    for (const length of [0, 1, 3, 1001, ...(name === 'Float32Array' ? [longer] : [])]) {
      const own = given(name, length, group.rank);
      const before = own.slice();
      const sum = await group.allReduce(own);
      const expected = sumInOrder(name, length, group.size);
      if (!isSame(sum, expected)) wrong.push(`${name} ${length}`);
      const tree = await group.allReduce(own, { order: 'tree' });
      if (!isSame(tree, sumAsTree(name, length, 0, group.size))) wrong.push(`${name} ${length} as a tree`);
      if (!isSame(group.allReduceNow(own), expected)) wrong.push(`${name} ${length} at once`);
      const mine = own.slice();
      const begun = group.startAllReduce(mine);
      mine.fill(7);
      if (!isSame(begun(), expected)) wrong.push(`${name} ${length} begun`);
      if (!isSame(own, before)) wrong.push(`${name} ${length} was written to`);
      const into = own.slice();
      const there = [group.startAllReduce(into, { into })(), group.allReduceNow(own, { into: own.slice() })];
      if (there[0] !== into || !there.every((of) => isSame(of, expected)))
        wrong.push(`${name} ${length} into an array`);
      const any = await group.allReduce(own, { order: 'any' });
      const most = { Int32Array: 0, Float32Array: 0.1, Float64Array: 1e-9 }[name];
      if (any.some((value, i) => !(Math.abs(value - expected[i]) <= most)))
        wrong.push(`${name} ${length} in any order`);
    }
  }
  tell(wrong);
}

async function gathers({ rank, size, ...group }: Bound): Promise<void> {
  const floats = await group.allGather(Float64Array.from({ length: rank }, (_, i) => rank + i / 8));
  const bytes = await group.allGather(new TextEncoder().encode('x'.repeat(3 - Math.min(3, rank))));
  const none = await group.allGather(new Int32Array(0));
  tell([floats.map((of) => [...of]), bytes.map((of) => of.length), none.map((of) => of.length)]);
  const roots = [];
  for (let root = 0; root < size; root++) roots.push(...(await group.broadcast(Int32Array.of(rank + 100), root)));
  tell(roots);
}

/** The operations and what is known of a group, as an object to take apart. */
type Bound = Pick<Group, 'rank' | 'size' | 'allGather' | 'broadcast'>;
const bound = (group: Group): Bound => ({
  rank: group.rank,
  size: group.size,
  allGather: (values) => group.allGather(values),
  broadcast: (values, root) => group.broadcast(values, root),
});

/** Odd and even ranks apart, the last rank first. */
async function parts(group: Group): Promise<void> {
  const part = await group.split(group.rank % 2, group.size - group.rank);
  const [own, all] = await Promise.all([
    part.allGather(Int32Array.of(group.rank)),
    group.allReduce(Int32Array.of(group.rank)),
  ]);
  tell({ rank: part.rank, size: part.size, own: own.map(([value]) => value), all: [...all] });
  tell(await part.finalize().catch(fault));
}

/** What becomes of an array after the call changes nothing. */
async function pinned(group: Group): Promise<void> {
  const sent = [new Float32Array(1e6).fill(1), new Float32Array(1e6).fill(1)];
  const sums = sent.map((values) => group.allReduce(values));
  sent[0].fill(5);
  structuredClone(sent[1], { transfer: [sent[1].buffer] });
  const [a, b] = await Promise.all(sums);
  const shared = new Int32Array(new SharedArrayBuffer(8)).fill(2);
  const [c, d] = await group.broadcast(shared);
  tell([a, b].map((sum) => sum.every((value) => value === group.size)).concat(c === 2 && d === 2));
}

async function clusters(group: Group): Promise<void> {
  for (const device of ['cpu', 'js'] as const) {
    tell(bitsOf(await clustered(group, blobs(1003, 5, 9), { k: 9, seed: 3, device })));
  }
}

async function neighbors(group: Group): Promise<void> {
  const points = blobs(203, 5, 9);
  const { indices, distances } = await found(group, points, points, { k: 4, excludeSelf: true });
  tell(hashOf(indices, distances));
}

/** Those that wait are done after all that was begun before, and before what is begun later. */
async function waited(group: SyncGroup): Promise<void> {
  const before = Array.from({ length: 20 }, (_, i) => group.allReduce(Int32Array.of(i)));
  const gathered = group.allGatherNow(Float64Array.from({ length: group.rank }, (_, i) => group.rank + i / 8));
  const into = new Float64Array((group.size * (group.size - 1)) / 2);
  const begin = (group.rank * (group.rank - 1)) / 2;
  const own = into.subarray(begin, begin + group.rank);
  own.forEach((_, i) => {
    own[i] = group.rank + i / 8;
  });
  const lying = group.allGatherNow(own, { into });
  const lies = lying.every((of, i) => of.buffer === into.buffer && isSame(of, gathered[i]));
  const long = async () => group.allGatherNow(own, { into: new Float64Array(1000) });
  tell([lies, await long().catch(fault)]);
  const begun = [1, 2, 3].map((i) => group.startAllReduce(Int32Array.of(10 * i)));
  const late = group.allReduce(Int32Array.of(100));
  const sum = group.allReduceNow(Int32Array.of(1000 + group.rank), { order: 'tree' });
  tell([gathered.map((of) => [...of]), sum[0], (await Promise.all(before)).every(([of], i) => of === i * group.size)]);
  // In any order, and long after.
  const sums = begun.reverse().map((wait) => [wait()[0], wait()[0]]);
  tell(sums.every((twice, i) => twice.every((of) => of === 10 * (3 - i) * group.size)));
  tell((await late)[0] === 100 * group.size);
}

const OPERATIONS: Record<string, (group: SyncGroup) => Promise<void>> = {
  sums,
  gathers: (group) => gathers(bound(group)),
  parts,
  pinned,
  waited,
};

/** 100 operations at once, `rounds` times; tells how many gave something else than they should. */
async function flight(group: SyncGroup): Promise<void> {
  const total = (group.size * (group.size + 1)) / 2;
  let wrong = 0;
  for (let round = 0; round < Number(args[0]); round++) {
    const calls = Array.from({ length: 100 }, async (_, i) => {
      const length = 1 + ((i * 37 + round) % 500);
      if (i % 10 === 9) return (await group.allGather(Int32Array.of(i)))[group.size - 1][0] === i;
      const sum = await group.allReduce(new Float32Array(length).fill((group.rank + 1) * (i + 1)));
      return sum.length === length && sum.every((value) => value === total * (i + 1));
    });
    // In the midst of them.
    if (group.allReduceNow(new Float32Array(round + 1).fill(group.rank + 1)).some((of) => of !== total)) wrong++;
    wrong += (await Promise.all(calls)).filter((right) => !right).length;
  }
  tell(wrong);
}

/** Calls that differ between ranks, each followed by one that does not. */
async function mismatches(group: SyncGroup): Promise<void> {
  const first = group.rank === 0;
  const pairs: (() => Promise<unknown>)[] = [
    () => (first ? group.allReduce(Float32Array.of(1, 2)) : group.barrier()),
    () => group.allReduce(new Float32Array(first ? 2 : 3)),
    () => group.allReduce(first ? new Float32Array(2) : new Int32Array(2)),
    () => group.allReduce(new Float32Array(2), { order: first ? 'rank' : 'any' }),
    () => group.broadcast(new Float32Array(2), first ? 0 : 1),
    () => (first ? group.finalize() : group.barrier()),
    async () => group.allReduceNow(new Float32Array(2), { order: first ? 'rank' : 'tree' }),
    async () => (first ? group.allGatherNow(new Float32Array(2)) : group.allReduceNow(new Float32Array(2))),
    async () => group.startAllReduce(new Float32Array(first ? 2 : 3))(),
  ];
  for (const differ of pairs) {
    tell(await differ().catch(fault));
    tell([...(await group.allReduce(Int32Array.of(1)))]);
  }
}

/** The last rank goes, while the others wait for it: by exit(0), by an error, at the end of its program, or by a signal. */
async function goes(group: Group): Promise<void> {
  await group.barrier();
  if (group.rank < group.size - 1) return group.barrier();
  // Time for the others to wait.
  await new Promise((resolve) => setTimeout(resolve, 200));
  // A launcher may lose what a rank prints before it goes.
  writeFileSync(args[1], String(Date.now()));
  if (args[0] === 'exit') process.exit(0);
  if (args[0] === 'throw') throw new Error('thrown');
  if (args[0] === 'kill') process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {}) as Promise<void>;
}

/** Rank args[0] is killed after args[1] ms, in the midst of operations that never end. */
async function killed(group: Group): Promise<void> {
  if (group.rank === Number(args[0])) {
    const end = () => {
      writeFileSync(args[2], String(Date.now()));
      process.kill(process.pid, 'SIGKILL');
    };
    setTimeout(end, Number(args[1]));
  }
  for (;;) await Promise.all(Array.from({ length: 10 }, (_, i) => group.allReduce(new Float32Array(1 + 5000 * i))));
}

async function late(group: Group): Promise<void> {
  if (group.rank === group.size - 1) await new Promise((resolve) => setTimeout(resolve, 2500));
  await group.barrier();
}

/** The last rank's thread of JavaScript is told to end while it waits for what the others never call. */
async function endsWaiting(): Promise<void> {
  const last = ownRank === Number(process.env.OMPI_COMM_WORLD_SIZE ?? process.env.PMI_SIZE) - 1;
  const worker = new Worker(process.argv[1], { argv: ['waits', last ? 'now' : 'later'] });
  await new Promise((resolve) => worker.once('message', resolve));
  if (!last) return new Promise((resolve) => worker.on('exit', () => resolve()));
  await new Promise((resolve) => setTimeout(resolve, 300));
  writeFileSync(args[0], String(Date.now()));
  await worker.terminate();
}

async function waits(group: SyncGroup): Promise<void> {
  await group.barrier();
  parentPort!.postMessage('waits');
  if (args[0] === 'now') group.allReduceNow(Float32Array.of(1));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

/** MPI on a thread of JavaScript that ends, with or without finalize, before its process does. */
async function inWorker(): Promise<void> {
  const worker = new Worker(process.argv[1], { argv: ['worker', ...args] });
  const code = await new Promise((resolve) => worker.on('exit', resolve));
  tell(code);
  tell(await initDistributed().catch(fault));
}

async function worker(group: SyncGroup): Promise<void> {
  await group.allReduce(Float32Array.of(1));
  if (args[0] === 'finalize') await group.finalize();
}

/** A run of a test, what is else on rank 1, and what happens there after a step: its signal fires, or it is killed `ms` later. */
interface RankRun extends RunOptions {
  differ?: Partial<RunOptions>;
  abortAfter?: number;
  killAfter?: { step: number; ms: number };
}

/** Trains by each of the options in args, one after the other, and tells what each came to. */
async function trains(group: SyncGroup): Promise<void> {
  for (const options of args) {
    const { differ = {}, abortAfter, killAfter, ...same } = JSON.parse(options) as RankRun;
    const there = group.rank === 1;
    const stop = new AbortController();
    const onProgress = ({ step }: { step: number }) => {
      if (there && step === abortAfter) stop.abort();
      if (there && step === killAfter?.step) setTimeout(() => process.kill(process.pid, 'SIGKILL'), killAfter.ms);
    };
    const own = there ? { ...same, ...differ } : same;
    tell(await trainedBits(group, own, { onProgress, signal: stop.signal }).catch(fault));
  }
}

/** On the last rank the kernel of that name, where there is one, fails when it is called the third time. */
async function evaluates(group: SyncGroup): Promise<void> {
  let calls = 0;
  const before = (kernel: string) => {
    if (kernel !== args[0] || group.rank < group.size - 1) return;
    calls++;
    if (calls === 3) throw new Error('broken');
  };
  tell(await evaluatedBits(group, before).catch(fault));
}

const MAIN: Record<string, (group: SyncGroup) => Promise<void>> = {
  trains,
  evaluates,
  waits,
  flight,
  mismatches,
  goes,
  killed,
  late,
  clusters,
  neighbors,
};

async function main(name: string): Promise<void> {
  if (name === 'inWorker') return inWorker();
  if (name === 'endsWaiting') return endsWaiting();
  const group = await initDistributed().catch((error) => void tell(fault(error)));
  if (!group) return;
  if (name === 'worker') return worker(group);
  if (name === 'operations') for (const run of Object.values(OPERATIONS)) await run(group);
  else await MAIN[name](group);
  await group.finalize();
  await Promise.resolve()
    .then(() => group.allGatherNow(new Uint8Array(1)))
    .then(tell, (error) => fault(error) === over || tell(fault(error)));
  tell(await group.barrier().catch(fault));
}

await main(process.argv[2]);
