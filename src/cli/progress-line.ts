import { amount } from '../amount.js';
import type { Start } from '../config/run.js';
import { brokenText, type LookedOver, unlookedText } from '../data/look-over.js';
import type { EvaluationProgress } from '../evaluation/index.js';
import type { ImageProgress } from '../long-work.js';
import type { PlanProgress, TrainingPlan, TrainingProgress } from '../training/index.js';

type Progress = ImageProgress | TrainingProgress | EvaluationProgress;

/** How often a line is shown: redrawn in place on a terminal, a new line elsewhere. */
const TERMINAL_MS = 100;
const PLAIN_MS = 10_000;

/** Progress on stderr: one line that redraws itself on a terminal; elsewhere a plain line now and then. */
export class ProgressLine {
  private shown = 0;
  private drawn = false;
  private warned = false;
  private planned = false;
  private phase?: Progress['phase'];

  constructor(
    private readonly label: string,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  readonly show = (progress: Progress): void => {
    // What begins is said at once.
    if (progress.phase !== this.phase) this.shown = 0;
    this.phase = progress.phase;
    if (progress.phase === 'train') this.warnOfSteps(progress);
    if (progress.phase === 'train' && progress.warning) this.warn(progress.warning);
    if (progress.phase === 'train' && progress.scores) this.note(scoresText(progress));
    else this.tell(() => progressText(progress));
  };

  /** Shows a text of another's progress, where it is time for one. */
  readonly tell = (textOf: () => string): void => {
    const now = performance.now();
    if (now - this.shown < (this.stream.isTTY ? TERMINAL_MS : PLAIN_MS) && this.shown > 0) return;
    this.shown = now;
    const text = `${this.label}  ${textOf()}`;
    this.stream.write(this.stream.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
    this.drawn = true;
  };

  /** Says something that stays, above the line. */
  readonly note = (text: string): void => {
    this.stream.write(`${this.clearing()}${this.label}  ${text}\n`);
    this.drawn = false;
  };

  /** What the run will take, and what is to be thought of before it goes on. */
  plan(told: TrainingPlan): void {
    this.planned = true;
    this.say(planText(told));
    const warning = stepsWarning(told);
    if (warning !== undefined) this.note(`warning: ${warning}`);
  }

  /** The same where there is no plan, with the first step. */
  private warnOfSteps({ steps, epochs }: TrainingProgress): void {
    const warning = this.planned ? undefined : stepsWarning({ steps, epochs });
    this.planned = true;
    if (warning !== undefined) this.note(`warning: ${warning}`);
  }

  /** How far the steps are that a plan is made of. */
  readonly measured = ({ done, total, etaSeconds }: PlanProgress): void => {
    if (done === 1) this.shown = 0;
    this.tell(() => `measuring steps for the plan  ${done}/${total}  ETA ${duration(etaSeconds)}`);
  };

  /** Says what a look at files found that only an evaluation will read. */
  readonly looked = (looked: LookedOver): void => {
    const [broken, unlooked] = [brokenText(looked), unlookedText(looked)];
    if (broken !== undefined) this.note(`warning: ${broken}`);
    if (unlooked !== undefined) this.note(unlooked);
  };

  /** The first of its warnings: those that follow say the same of later epochs. */
  private warn(text: string): void {
    if (!this.warned) this.note(`warning: ${text}`);
    this.warned = true;
  }

  /** Replaces the line by a last one that stays. */
  end(text: string): void {
    this.note(text);
  }

  /** Says what is no progress, line by line, in place of the line. */
  say(lines: string): void {
    this.stream.write(`${this.clearing()}${lines}`);
    this.drawn = false;
  }

  /** Takes the line away, before something else is written. */
  clear(): void {
    this.stream.write(this.clearing());
  }

  private clearing(): string {
    return this.stream.isTTY && this.drawn ? '\r\x1b[2K' : '';
  }
}

/** What phases of work on images are called. */
const IMAGES: Record<ImageProgress['phase'], string> = {
  find: 'looking for images',
  check: 'checking images',
  hash: 'hashing images',
  copy: 'copying images',
  render: 'drawing images',
  decode: 'decoding images',
  embed: 'embedding images',
};

function progressText(progress: Progress): string {
  const pace = `${progress.imagesPerSecond.toFixed(0)} images/s  ETA ${duration(progress.etaSeconds)}`;
  if (progress.phase === 'attack') return `${progress.attack}  ${progress.done}/${progress.total} images  ${pace}`;
  if (progress.phase !== 'train') return `${IMAGES[progress.phase]}  ${progress.done}/${progress.total}  ${pace}`;
  const { epoch, epochs, step, steps, loss } = progress;
  return `epoch ${Math.min(epoch + 1, epochs)}/${epochs}  step ${step}/${steps}  loss ${loss.toFixed(2)}  ${pace}`;
}

/** "epoch 2 scores recallAt1 0.850, nmi 0.412" */
function scoresText({ epoch, scores }: TrainingProgress): string {
  const texts = Object.entries(scores!).map(([name, score]) => `${name} ${score.toFixed(3)}`);
  return `epoch ${epoch} scores ${texts.join(', ')}`;
}

/** Seconds as m:ss. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** What a run will take, as commands say it before it begins. */
export function planText({
  members,
  parameters,
  epochs,
  steps,
  images,
  memoryBytes,
  imagesPerSecond,
  warmUpImagesPerSecond: warm,
  hours,
}: TrainingPlan): string {
  const networks = `${members === 1 ? 'a network' : `${members} networks`} of ${parameters.toLocaleString('en')} parameters`;
  const work = `${amount(epochs, 'epoch')}, ${amount(steps, 'step')} of ${amount(images, 'image')}`;
  const time = hours < 1 ? `${(60 * hours).toFixed(1)} minutes` : `${hours.toFixed(1)} hours`;
  const warming = warm === undefined ? '' : ` (${warm.toFixed(1)} in the warm-up)`;
  const pace = `about ${(memoryBytes / 1e6).toFixed(0)} MB of tensors, ${imagesPerSecond.toFixed(1)} images/s${warming}, ${time}`;
  return `plan: ${networks}; ${work}; ${pace}\n`;
}

/** What is said of epochs of one step: the steps are all that are to be made. `images` are those of one, where that is known. */
export function stepsWarning({
  steps,
  epochs,
  images,
}: Pick<TrainingPlan, 'steps' | 'epochs'> & { images?: number }): string | undefined {
  if (steps > epochs || (images !== undefined && images < 4)) return undefined;
  const size = images === undefined ? '' : ` of ${images} images`;
  // A quarter at most, of a size that is usual.
  const such = images === undefined ? '' : `, such as --batch ${Math.max(2, 2 ** Math.floor(Math.log2(images / 4)))}`;
  const moves = epochs === 1 ? 'once' : `${epochs} times`;
  return `an epoch is one step${size}, so the networks move ${moves} in all; smaller batches make more steps of it${such}`;
}

/** What runs on what, as commands say it before they begin. */
export function startText({ data, backend }: Start): string {
  return `${data.labels.length} images of ${data.name}; backend ${backend.name}: ${backend.reason}\n`;
}
