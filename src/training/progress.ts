import type { Settings } from './options.js';
import type { Position } from './state/record.js';
import type { ValidationScores } from './validation/validate.js';

/** What a training run reports after every step, and after every validation once more. */
export interface TrainingProgress {
  phase: 'train';
  /** Epochs completed, of `epochs`. */
  epoch: number;
  epochs: number;
  /** Steps completed, of `steps`; a resumed run counts on. */
  step: number;
  steps: number;
  /** Mean of the members' losses in this step. */
  loss: number;
  /** Images drawn per second of training steps, since this process started; 0 before it has made one. */
  imagesPerSecond: number;
  /** Seconds left, where validations and saves go on to take what they took. */
  etaSeconds: number;
  /** Of the networks, in this step. */
  learningRate: number;
  /** Of the epoch that this step ended, where it was validated. */
  scores?: ValidationScores;
  /** A sentence on what went wrong without ending the run: an epoch that taught nothing. */
  warning?: string;
}

/** The rate of work done since its making; the first unit, which compiles and allocates, is left out when others follow. */
export class Pace {
  private start: number;
  private skipped = 0;

  /** By a clock of seconds. */
  constructor(private readonly now = () => performance.now() / 1000) {
    this.start = now();
  }

  /** Units per second, and the seconds that `left` more units take. */
  after(done: number, left: number): { rate: number; seconds: number } {
    const elapsed = this.now() - this.start;
    const rate = (done - this.skipped) / Math.max(elapsed, 1e-9);
    if (this.skipped === 0) {
      this.skipped = done;
      this.start = this.now();
    }
    return { rate, seconds: left / rate };
  }
}

/** What a step has to report of itself. */
export interface StepReport extends Pick<TrainingProgress, 'loss' | 'learningRate' | 'warning'> {
  /** Drawn in it. */
  images: number;
}

/** Reports to the caller; a validation with the pace of the step before it. */
export class Reporter {
  private readonly pace = new Pace();
  /** Of steps alone, which the position counts. */
  private readonly steady: Pace;
  private readonly firstStep: number;
  private last: TrainingProgress | undefined;

  constructor(
    private readonly settings: Pick<Settings, 'onProgress' | 'epochs'>,
    position: Position,
    private readonly steps: number,
  ) {
    this.steady = new Pace(() => position.seconds);
    this.firstStep = position.step;
  }

  step({ step, losses }: Position, { loss, images, learningRate, warning }: StepReport): void {
    const { firstStep, steps, settings } = this;
    const [done, left] = [step - firstStep, steps - step];
    const { seconds } = this.pace.after(done, left);
    const { rate } = this.steady.after(done, left);
    const progress = { epoch: losses.length, epochs: settings.epochs, step, steps, loss };
    const pacing = { imagesPerSecond: rate * images, etaSeconds: seconds };
    this.last = { phase: 'train', ...progress, ...pacing, learningRate };
    settings.onProgress?.({ ...this.last, ...(warning && { warning }) });
  }

  /** Of the epoch just closed; `learningRate` is that of its last step, which an interrupted run may have made. */
  scores({ step, losses }: Position, scores: ValidationScores, learningRate: number): void {
    const { steps, settings } = this;
    const at = { phase: 'train', epoch: losses.length, epochs: settings.epochs, step, steps } as const;
    const before = this.last ?? { loss: losses.at(-1)!, imagesPerSecond: 0, etaSeconds: 0 };
    settings.onProgress?.({ ...before, ...at, learningRate, scores });
  }
}
