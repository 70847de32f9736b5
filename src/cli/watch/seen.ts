import type { ImageProgress } from '../../long-work.js';
import type { LiveTraining } from '../../report/html/live-page.js';
import type { TrainingProgress } from '../../training/index.js';

/** Points of a curve: of a long training neighbours are put together. */
const POINTS = 400;

/** A curve of any length in few points: the mean of equally many neighbours each. */
export class Curve {
  private means: { x: number; y: number }[] = [];
  private each = 1;
  private rest: { x: number; y: number }[] = [];

  add(x: number, y: number): void {
    this.rest.push({ x, y });
    if (this.rest.length < this.each) return;
    this.means.push(meanOf(this.rest));
    this.rest = [];
    if (this.means.length < POINTS) return;
    this.means = Array.from({ length: POINTS / 2 }, (_, i) => meanOf(this.means.slice(2 * i, 2 * i + 2)));
    this.each *= 2;
  }

  /** With what has come since the last mean. */
  points(): { x: number; y: number }[] {
    return this.rest.length > 0 ? [...this.means, meanOf(this.rest)] : [...this.means];
  }
}

function meanOf(points: readonly { x: number; y: number }[]): { x: number; y: number } {
  const [x, y] = points.reduce(([a, b], point) => [a + point.x, b + point.y], [0, 0]);
  return { x: x / points.length, y: y / points.length };
}

/** What has been seen of a training, for its page. */
export class Seen {
  private readonly losses = new Curve();
  private readonly learningRates = new Curve();
  private readonly validations: LiveTraining['validations'][number][] = [];
  private phase = 'It begins.';
  private progress?: LiveTraining['progress'];
  ended?: string;

  constructor(
    private readonly name: string,
    private readonly folder: string,
  ) {}

  add(told: ImageProgress | TrainingProgress): void {
    if (told.phase !== 'train') {
      this.phase = `Before training: ${told.phase}, ${told.done} of ${told.total} images.`;
      return;
    }
    this.phase = 'It trains.';
    const { epoch, epochs, step, steps, loss, imagesPerSecond, etaSeconds, learningRate, scores } = told;
    this.progress = { epoch, epochs, step, steps, imagesPerSecond, etaSeconds };
    if (scores) {
      this.validations.push({ epoch, scores });
      return;
    }
    this.losses.add(step, loss);
    this.learningRates.add(step, learningRate);
  }

  now(): LiveTraining {
    const { name, folder, phase, progress, validations, ended } = this;
    const curves = { losses: this.losses.points(), learningRates: this.learningRates.points() };
    return { name, folder, phase, progress, validations, ...curves, ...(ended !== undefined && { ended }) };
  }
}
