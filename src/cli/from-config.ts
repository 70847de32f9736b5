import { idxDataset } from '../data/idx-dataset.js';
import { classesOf, emoji, fashionMnist, type Split, splitByClass, splitBySample } from '../data/index.js';
import { EatDmlError } from '../errors.js';
import type { EvaluateOptions } from '../evaluation/index.js';
import { contrastive, type MetricLoss, multiSimilarity, ntXent, proxyAnchor, tripletMargin } from '../losses/index.js';
import { convEmbedder, type ModelSpec } from '../models/index.js';
import {
  act,
  adp,
  at,
  dverge,
  eat,
  ensembleAt,
  est,
  gal,
  hm,
  type Method,
  standard,
  type TrainOptions,
  trades,
} from '../training/index.js';
import type { Config, DataConfig, MethodConfig, MethodName } from './config.js';

/** The radius that methods train against and evaluations attack with unless told otherwise, in [0, 1] pixel units. */
const EPSILON = 0.1;

/** Reads the data of a configuration; both sides of its split. */
export async function dataOf({ data = { name: 'fashion-mnist' }, seed = 0 }: Config): Promise<Split> {
  if (data.name === 'idx') return idxData(data, seed);
  if (data.name === 'emoji') return emojiData(data, seed);
  const { name: _, ...options } = data;
  return fashionMnist({ seed, ...options });
}

function emojiData({ name: _, ...options }: Extract<DataConfig, { name: 'emoji' }>, seed: number): Promise<Split> {
  return emoji({ seed, ...options });
}

async function idxData(data: Extract<DataConfig, { name: 'idx' }>, runSeed: number): Promise<Split> {
  const { split = 'zero-shot', trainClasses, testFraction = 0.2, seed = runSeed } = data;
  const dataset = await idxDataset(data);
  if (split === 'zero-shot' && classesOf(dataset).length < 2) {
    const expected = 'labels of at least 2 classes, which the zero-shot split needs,';
    throw new EatDmlError('ERR_DATA', `Expected ${expected} but received one class in ${data.labels}.`, {
      hint: 'The closed-set split does with one.',
    });
  }
  return split === 'zero-shot'
    ? splitByClass(dataset, { trainClasses, seed })
    : splitBySample(dataset, { testFraction, seed });
}

export function modelOf({ model }: Config): ModelSpec {
  return convEmbedder({ embedding: model?.embedding, width: model?.width });
}

export function lossOf({ loss = { name: 'proxy-anchor' } }: Config): MetricLoss {
  const { name, ...options } = loss;
  const LOSSES = {
    'proxy-anchor': proxyAnchor,
    'triplet-margin': tripletMargin,
    contrastive,
    'multi-similarity': multiSimilarity,
    'nt-xent': ntXent,
  };
  return (LOSSES[name] as (options: object) => MetricLoss)(options);
}

/** A method by its name with its defaults, against linf attacks of radius 0.1. */
export function methodNamed(name: MethodName): MethodConfig {
  return name === 'standard' ? { name } : { name, attack: { epsilon: EPSILON } };
}

const METHODS = {
  standard,
  at,
  'ensemble-at': ensembleAt,
  trades,
  est,
  act,
  hm,
  adp,
  gal,
  dverge,
  eat,
};

export function methodOf({ name, ...options }: MethodConfig = methodNamed('eat')): Method {
  return (METHODS[name] as (options: object) => Method)(options);
}

/** Everything of a configuration that `train` takes but the checkpoint. */
export function trainOptionsOf(config: Config): Omit<TrainOptions, 'data'> {
  const { checkpointEverySteps: _, ...training } = config.training ?? {};
  return {
    ...training,
    model: modelOf(config),
    loss: lossOf(config),
    method: methodOf(config.method),
    seed: config.seed,
    backend: config.backend,
  };
}

/** Everything of a configuration that `evaluate` takes; attacks have the radius that the method trained against. */
export function evaluateOptionsOf(config: Config): EvaluateOptions {
  const { method } = config;
  const trainedAgainst = method && 'attack' in method ? method.attack : undefined;
  return {
    epsilon: trainedAgainst?.epsilon ?? EPSILON,
    norm: trainedAgainst?.norm,
    ...config.evaluation,
    seed: config.seed,
    backend: config.backend,
  };
}
