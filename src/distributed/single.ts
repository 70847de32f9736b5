import {
  checkIn,
  checkInto,
  checkOrder,
  checkSummable,
  checkValues,
  type IntoOptions,
  type SyncGroup,
  type Values,
} from './group.js';

/** What MPI takes as a color or a key. */
export const INTEGERS_END = 2 ** 31;

/**
 * The group of one: its operations give back what they are given, without a copy and without MPI, so that code for several ranks needs no
 * `if` for one.
 */
export function single(): SyncGroup {
  return ALONE;
}

const ALONE: SyncGroup = Object.freeze<SyncGroup>({
  rank: 0,
  size: 1,
  allReduceNow(values, options) {
    checkOrder(options);
    checkSummable(values);
    return inPlace(values, options);
  },
  startAllReduce(values, options) {
    const sum = ALONE.allReduceNow(values, options);
    return () => sum;
  },
  allGatherNow(values, options) {
    checkValues(values);
    return [inPlace(values, options)];
  },
  async allReduce(values, options) {
    return ALONE.allReduceNow(values, options);
  },
  async allGather(values) {
    return ALONE.allGatherNow(values);
  },
  async broadcast(values, root = 0) {
    checkIn('root', root, 1);
    checkValues(values);
    return values;
  },
  async barrier() {},
  async split(color, key = 0) {
    checkIn('color', color, INTEGERS_END);
    checkIn('key', key, INTEGERS_END);
    return ALONE;
  },
  async finalize() {},
});

/** The values themselves, or where they are to go. */
function inPlace<T extends Values>(values: T, options?: IntoOptions<T>): T {
  if (!checkInto(options, values, values.length)) return values;
  const into = options!.into!;
  if (into !== values) into.set(values);
  return into;
}
