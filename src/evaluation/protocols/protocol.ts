import type { AttackNorm } from '../../attacks/index.js';
import type { Source } from '../../data/index.js';
import type { Ensemble } from '../../models/index.js';
import type { DatasetAttack } from '../attack-dataset.js';
import type { AttackResult, EvaluationReport } from '../evaluate.js';
import type { MeasuredSet } from '../measured-set.js';
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
}

/** A protocol at work. */
export interface Observer {
  /** What it adds to the result of an attack. */
  attacked?(set: MeasuredSet): Promise<Partial<AttackResult>>;
  /** The same of an attack that could not be made. */
  notRun?: Partial<AttackResult>;
  /** What it adds to the report, after all attacks. */
  end?(): Promise<Partial<EvaluationReport>>;
}

/** What is made of attacked images. Called once, before the attacks; undefined where it is not asked for. */
export type Protocol = (run: ProtocolRun) => Promise<Observer | undefined>;
