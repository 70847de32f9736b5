import { checkIn, checkOrder, checkSummable, checkValues, type SyncGroup } from './group.js';

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
    return values;
  },
  startAllReduce(values, options) {
    ALONE.allReduceNow(values, options);
    return () => values;
  },
  allGatherNow(values) {
    checkValues(values);
    return [values];
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
