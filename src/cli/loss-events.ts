import { openEventFile } from '../report/index.js';
import type { TrainingProgress } from '../training/index.js';
import { errorText } from './exit-codes.js';

/**
 * A run's losses in a file of TensorBoard's. One that cannot be opened is an error, before there is anything to lose; a
 * value that cannot be written later is said once, and training goes on.
 */
export function lossEvents(folder: string, say: (text: string) => void) {
  const file = openEventFile(folder);
  let said = false;
  return {
    show({ step, loss, imagesPerSecond }: TrainingProgress): void {
      try {
        file.scalars(step, { loss, 'images per second': imagesPerSecond });
      } catch (error) {
        if (!said) say(`${errorText(error)}\n  Training goes on; TensorBoard misses what has no room.`);
        said = true;
      }
    },
    close: () => file.close(),
  };
}
