import { classesOf, type Dataset, datasetHash, imageDigests } from '../data/index.js';
import type { TrainedOn } from '../models/index.js';

/** What an ensemble that is trained on `data` will have seen. */
export function trainedOn(data: Dataset): TrainedOn {
  return {
    dataset: data.name,
    hash: datasetHash(data),
    classes: [...classesOf(data)],
    splits: data.splits ?? [],
    images: imageDigests(data),
  };
}
