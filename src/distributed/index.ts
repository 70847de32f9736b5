/** Several processes that work together; alone, a group of one. Nothing of MPI is loaded before initDistributed finds a launcher. */
export { type DistributedKMeansOptions, distributedKmeans } from './distributed-kmeans.js';
export { type DistributedNeighborsOptions, distributedNeighbors } from './distributed-neighbors.js';
export type { AllReduceOptions, Group, IntoOptions, Summable, SyncGroup, Values } from './group.js';
export { type InitDistributedOptions, initDistributed } from './init.js';
export { type RowRange, shardOf } from './shards.js';
export { single } from './single.js';
