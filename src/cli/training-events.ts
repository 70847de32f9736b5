import type { Source } from '../data/index.js';
import { type Hyperparameters, openEventFile, type PngImage } from '../report/index.js';
import type { TrainingProgress } from '../training/index.js';
import { errorText } from './exit-codes.js';

/** Pictures of the training images that are shown once. */
const EXAMPLES = 8;

/**
 * A run in a file of TensorBoard's: settings and example images once, then losses, rates and scores. One that cannot be opened is an
 * error, before there is anything to lose; a value that cannot be written later is said once, and training goes on.
 */
export function trainingEvents(folder: string, say: (text: string) => void) {
  const file = openEventFile(folder);
  let said = false;
  const write = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!said) say(`${errorText(error)}\n  Training goes on; TensorBoard misses what has no room.`);
      said = true;
    }
  };
  return {
    settings: (values: object) => write(() => file.hyperparameters(flat(values))),
    async examples(data: Source): Promise<void> {
      const images = await pictures(data);
      write(() => file.images(0, images));
    },
    show({ step, loss, imagesPerSecond, learningRate, scores }: TrainingProgress): void {
      const named = Object.entries(scores ?? {}).map(([name, score]) => [`validation/${name}`, score]);
      const values = scores
        ? Object.fromEntries(named)
        : { loss, 'learning rate': learningRate, 'images per second': imagesPerSecond };
      write(() => file.scalars(step, values));
    },
    close: () => file.close(),
  };
}

/** Values within values by the path to them: `method.attack.epsilon`. */
function flat(values: object, above = ''): Hyperparameters {
  const entries = Object.entries(values).flatMap(([key, value]): [string, string | number | boolean][] => {
    const name = `${above}${key}`;
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return [[name, value.join(' ')]];
    if (typeof value === 'object') return Object.entries(flat(value, `${name}.`));
    return [[name, value]];
  });
  return Object.fromEntries(entries);
}

/** Some images as training sees them at its first step. */
async function pictures(data: Source): Promise<Record<string, PngImage>> {
  const { default: sharp } = await import('sharp');
  const [height, width, channels] = data.shape;
  if (channels !== 1 && channels !== 3) return {};
  const count = Math.min(EXAMPLES, data.labels.length);
  const rows = Int32Array.from({ length: count }, (_, i) => Math.floor((i * data.labels.length) / count));
  const images = await data.batch(rows, { draw: 0 });
  const bytes = Uint8Array.from(await images.data<'float32'>(), (value) => Math.round(255 * value));
  images.dispose();
  const size = height * width * channels;
  const named = Array.from(rows, async (row, i): Promise<[string, PngImage]> => {
    const raw = { width, height, channels } as const;
    const picture = sharp(bytes.subarray(i * size, (i + 1) * size), { raw }).toColourspace('srgb');
    return [`examples/${i} of class ${data.labels[row]}`, { png: await picture.png().toBuffer(), width, height }];
  });
  return Object.fromEntries(await Promise.all(named));
}
