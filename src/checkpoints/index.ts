export { exportLayers } from './export-layers.js';
export { exportWeights } from './export-weights.js';
export {
  hasCheckpoint,
  type LoadedCheckpoint,
  loadCheckpoint,
  loadEnsemble,
  readRecord,
  readRecordedRun,
} from './load-checkpoint.js';
export { type LockedFolder, lockFolder } from './lock-folder.js';
export { checked, corrupt } from './manifest.js';
export { BEST, checkVacant, RUN, removeCheckpoint } from './own-files.js';
export type { SavedTensors } from './read-member.js';
export { restoreMember } from './restore-member.js';
export { bestFolder, type CheckpointContent, finishSaves, saveCheckpoint } from './save-checkpoint.js';
