import type { AttackNorm } from '../../attacks/index.js';
import type { Source } from '../../data/index.js';
import type { Ensemble } from '../../models/index.js';
import type { DatasetAttack } from '../attack-dataset.js';
import type { MeasuredSet } from '../measured-set.js';
import type { EvaluationProgress } from '../progress.js';
import type { ScoringOptions } from '../scores.js';

/** What every protocol of one evaluation shares. */
export interface ProtocolRun {
  ensemble: Ensemble;
  data: Source;
  /** The evaluated set, clean. */
  clean: MeasuredSet;
  /** What `data` are looked up in, where that is not the set itself. */
  gallery?: Source;
  /** Clean data to find clusters on, where there are any beside the set itself. */
  reference?: Source;
  scoring: ScoringOptions;
  /** Attacks through what attacks may see of the ensemble. */
  attack: Omit<DatasetAttack, 'plan' | 'samples'>;
  norm: AttackNorm;
  epsilon: number;
  onProgress?: (progress: EvaluationProgress) => void;
}

/** A protocol at work: what it adds to the result of each attack, and to the report. */
export interface Observer<OfAttack = object, OfReport = object> {
  attacked?(set: MeasuredSet): Promise<OfAttack>;
  /** The same of an attack that could not be made. */
  notRun?: OfAttack;
  /** After all attacks. */
  end?(): Promise<OfReport>;
}

/**
 * What is made of attacked images. Called once, before the attacks; undefined where it is not asked for. Results and reports have the
 * fields that its type says.
 */
export type Protocol<OfAttack = object, OfReport = object> = (
  run: ProtocolRun,
) => Promise<Observer<OfAttack, OfReport> | undefined>;
