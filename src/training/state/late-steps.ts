import { inMainMemory, Looks } from '../../tfjs/index.js';

/** Steps that are made before the first of them is looked at: on a device that is another than main memory they do not wait for one another. */
const LATE = 3;

interface Step {
  looks: Looks;
  /** What is done when all that the step noted has been looked at, `seconds` waited for; throws what the step itself threw. */
  finish(seconds: number): void;
}

/** Steps of training whose losses may still be on their way from the device. They end in their order, the first that failed ends all. */
export class LateSteps {
  private readonly steps: Step[] = [];

  /** Makes a step by `work`, and later `finish`. What `work` throws is thrown there, after what was wrong with the steps before it. */
  make(work: () => void, finish: Step['finish']): void {
    const step = { looks: new Looks(), finish };
    this.steps.push(step);
    try {
      step.looks.noting(work);
    } catch (error) {
      step.looks.soon = true;
      step.finish = () => {
        throw error;
      };
    }
  }

  /** Ends the steps that may not be late any longer. */
  settle(): Promise<void> {
    return this.settleTo(inMainMemory() || this.steps.some(({ looks }) => looks.soon) ? 0 : LATE);
  }

  /** Ends all. */
  settleAll(): Promise<void> {
    return this.settleTo(0);
  }

  private async settleTo(left: number): Promise<void> {
    try {
      while (this.steps.length > left) {
        const [{ looks, finish }] = this.steps.splice(0, 1);
        const start = performance.now();
        await looks.settle();
        finish((performance.now() - start) / 1000);
      }
    } catch (error) {
      for (const { looks } of this.steps.splice(0)) looks.drop();
      throw error;
    }
  }
}
