import * as tf from '#tf';

/** What is read from the device; no strings. */
export type Values = tf.TypedArray;

/**
 * Work that has to know values: it yields a tensor and is handed what it holds. Who drives it says how it is read, at once
 * ({@link readNow}) or when the device gets there ({@link readLater}), which some backends alone can do and which stalls none.
 */
export type Reading<T> = Generator<tf.Tensor, T, Values>;

/** What such work may be instead: done already. */
export type Readable<T> = T | Reading<T>;

/** What a {@link look} makes of values; a reading where it must see more. */
export type Judge = (values: Values, ...kept: tf.Tensor[]) => Readable<void>;

interface LookOptions {
  /** Tensors that the judge may have to read. */
  kept?: tf.Tensor[];
  /** The next step needs what the judge does. */
  soon?: boolean;
}

/** Backends whose values lie in main memory: reading them at once costs nothing. */
const IN_MAIN_MEMORY = ['native', 'cpu', 'wasm'];

/** Those that can be read at once. */
const AT_ONCE = [...IN_MAIN_MEMORY, 'tensorflow'];

/** The values of the backend in use lie in main memory; TensorFlow's do where it has no GPU. */
export function inMainMemory(): boolean {
  const name = tf.getBackend();
  if (name !== 'tensorflow') return IN_MAIN_MEMORY.includes(name);
  return (tf.backend() as tf.KernelBackend & { isUsingGpuDevice?: boolean }).isUsingGpuDevice !== true;
}

/** The backend in use is known to be one that can be read at once; of a stranger none can tell. */
export function readsAtOnce(): boolean {
  return AT_ONCE.includes(tf.getBackend());
}

/** Where looks are noted, while work runs that somebody awaits. */
let noting: Looks | undefined;

/** What errors of looks are turned into that are made now. */
let worded: (error: unknown) => unknown = (error) => error;

/** What is looked at now is noted, to be looked at later. */
export function isLater(): boolean {
  return noting !== undefined && !inMainMemory();
}

/**
 * Has the values of `t` judged: now, or, where work runs that is awaited and the device is another, when they are there. The judge
 * throws what is wrong with them.
 */
export function look(t: tf.Tensor, judge: Judge, { kept = [], soon = false }: LookOptions = {}): void {
  if (isLater()) noting!.add(t, judge, kept, soon);
  else readNow(settled(judge(t.dataSync() as Values, ...kept)));
}

/** Runs `work`; its errors, those of what it looks at later too, are thrown as `words` says. */
export function inWords<T>(words: (error: unknown) => unknown, work: () => T): T {
  const before = worded;
  worded = (error) => before(words(error));
  try {
    return work();
  } catch (error) {
    throw words(error);
  } finally {
    worded = before;
  }
}

interface Look {
  values: tf.Tensor1D;
  judge: Judge;
  kept: tf.Tensor[];
  words: (error: unknown) => unknown;
}

/** What was to be looked at, in order, and is not yet. */
export class Looks {
  /** The next step needs something of it. */
  soon = false;
  private looks: Look[] = [];

  /** Runs `work`, whose looks are noted here. */
  noting<T>(work: () => T): T {
    const before = noting;
    noting = this;
    try {
      return work();
    } finally {
      noting = before;
    }
  }

  add(t: tf.Tensor, judge: Judge, kept: tf.Tensor[], soon: boolean): void {
    // Small, so that it can wait; what is kept is a second name of what is there.
    const values = tf.keep(tf.tidy(() => tf.reshape(tf.cast(tf.clone(t), 'float32'), [t.size]) as tf.Tensor1D));
    this.looks.push({ values, judge, kept: kept.map((other) => tf.keep(tf.clone(other))), words: worded });
    this.soon ||= soon;
  }

  /** Looks at all, in order, by one read. Throws what the first judge throws. */
  async settle(): Promise<void> {
    const looks = this.looks.splice(0);
    this.soon = false;
    try {
      const values = await readTogether(looks.map((look) => look.values));
      for (const [i, { judge, kept, words }] of looks.entries()) {
        try {
          await readLater(() => judge(values[i], ...kept));
        } catch (error) {
          throw words(error);
        }
      }
    } finally {
      for (const { values, kept } of looks) tf.dispose([values, ...kept]);
    }
  }

  /** Forgets all. */
  drop(): void {
    for (const { values, kept } of this.looks.splice(0)) tf.dispose([values, ...kept]);
  }
}

async function readTogether(parts: readonly tf.Tensor1D[]): Promise<Values[]> {
  if (parts.length === 0) return [];
  const all = tf.tidy(() => tf.concat1d([...parts]));
  try {
    const values = await all.data<'float32'>();
    let start = 0;
    return parts.map(({ size }) => {
      start += size;
      return values.subarray(start - size, start);
    });
  } finally {
    all.dispose();
  }
}

/** A reading of what may be done already. */
export function* settled<T>(found: Readable<T>): Reading<T> {
  return isReading(found) ? yield* found : found;
}

function isReading<T>(found: Readable<T>): found is Reading<T> {
  return typeof (found as Partial<Reading<T>> | undefined)?.next === 'function';
}

/** Does the work, and reads at once. */
export function readNow<T>(reading: Reading<T>): T {
  let turn = reading.next();
  while (!turn.done) turn = reading.next(turn.value.dataSync() as Values);
  return turn.value;
}

/** Does the work, and awaits what it reads and what it looked at. Tensors that it makes and does not return are freed, as by tf.tidy. */
export async function readLater<T extends tf.TensorContainer>(work: () => Readable<T>): Promise<T> {
  const looks = new Looks();
  const reading = tidied(work);
  try {
    let turn = looks.noting(() => reading.next());
    while (!turn.done) {
      const next = await turn.value.data().then(
        (values) => () => reading.next(values as Values),
        (error: unknown) => () => reading.throw(error),
      );
      turn = looks.noting(next);
    }
    const { value } = turn;
    await looks.settle().catch((error) => {
      tf.dispose(value);
      throw error;
    });
    return value;
  } catch (error) {
    // What was noted before came first.
    await looks.settle();
    throw error;
  }
}

/** tf.tidy for work that reads: its scope is put aside while others have a turn. */
export function* tidied<T extends tf.TensorContainer>(work: () => Readable<T>): Reading<T> {
  const engine = tf.engine();
  const { state } = engine;
  engine.startScope();
  const scope = state.activeScope;
  let result: T | undefined;
  try {
    const reading = settled(work());
    let turn = reading.next();
    while (!turn.done) {
      state.scopeStack.pop();
      state.activeScope = state.scopeStack.at(-1)!;
      let next: () => typeof turn;
      try {
        const values = yield turn.value;
        next = () => reading.next(values);
      } catch (error) {
        next = () => reading.throw(error);
      } finally {
        state.scopeStack.push(scope);
        state.activeScope = scope;
      }
      turn = next();
    }
    result = turn.value;
    return turn.value;
  } finally {
    engine.endScope(result);
  }
}
