/**
 * What an ensemble learnt from: enough for an evaluation to tell whether it is asked about what the ensemble has seen.
 * `train` and `loadEnsemble` make it.
 */
export interface TrainedOn {
  /** Name of the data set. */
  readonly dataset: string;
  /** `datasetHash` of the data. */
  readonly hash: string;
  /** Labels of its classes. */
  readonly classes: readonly number[];
  /** The splits that kept other data away from it, outermost first: `splits` of the data. */
  readonly splits: readonly { id: string; kind: 'zero-shot' | 'closed-set'; side: 'train' | 'test' }[];
  /** `imageDigests` of the data. */
  readonly images: BigUint64Array;
}
