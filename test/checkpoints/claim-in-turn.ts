import { type LockedFolder, lockFolder } from '../../src/checkpoints/lock-folder.js';

/** A process that claims each folder it is told of, says how that went, and lets go when it is told nothing. */
let folder: LockedFolder | undefined;
process.on('message', async (dir: string) => {
  await folder?.release();
  folder = undefined;
  if (dir === '') return process.send!('released');
  try {
    folder = await lockFolder(dir);
    process.send!('won');
  } catch (error) {
    process.send!((error as Error).message);
  }
});
process.send!('ready');
