/** What a training run reports after every step. */
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
  /** Images drawn per second, since this process started training. */
  imagesPerSecond: number;
  /** Seconds left at that rate. */
  etaSeconds: number;
  /** A sentence on what went wrong without ending the run: an epoch that taught nothing. */
  warning?: string;
}

/** The rate of work done since its making; the first unit, which compiles and allocates, is left out when others follow. */
export class Pace {
  private start = performance.now();
  private skipped = 0;

  /** Units per second, and the seconds that `left` more units take. */
  after(done: number, left: number): { rate: number; seconds: number } {
    const elapsed = (performance.now() - this.start) / 1000;
    const rate = (done - this.skipped) / Math.max(elapsed, 1e-9);
    if (this.skipped === 0) {
      this.skipped = done;
      this.start = performance.now();
    }
    return { rate, seconds: left / rate };
  }
}
