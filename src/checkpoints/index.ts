export { hasCheckpoint, type LoadedCheckpoint, loadCheckpoint, loadEnsemble } from './load-checkpoint.js';
export { type CheckpointContent, saveCheckpoint } from './save-checkpoint.js';
