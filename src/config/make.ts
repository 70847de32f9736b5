import { idxDataset } from '../data/idx-dataset.js';
import { classesOf, emoji, fashionMnist, type Split, splitByClass, splitBySample } from '../data/index.js';
import { EatDmlError } from '../errors.js';
import type { EvaluateOptions } from '../evaluation/index.js';
import type { MetricLoss } from '../losses/index.js';
import { LOSSES } from '../losses/list.js';
import type { ModelSpec } from '../models/index.js';
import { MODELS } from '../models/list.js';
import { partNamed } from '../part.js';
import type { Method, TrainOptions } from '../training/index.js';
import { METHODS } from '../training/methods/list.js';
import { type Config, type DataConfig, type MethodConfig, type MethodName, trainedAgainst } from './schema.js';

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

export function modelOf({ model = { kind: 'conv' } }: Config): ModelSpec {
  const { kind, ...options } = model;
  return partNamed<ModelSpec>(MODELS, kind).make(options);
}

export function lossOf({ loss = { name: 'proxy-anchor' } }: Config): MetricLoss {
  const { name, ...options } = loss;
  return partNamed<MetricLoss>(LOSSES, name).make(options);
}

/** A method by its name with its defaults, against linf attacks of radius 0.1. */
export function methodNamed(name: MethodName): MethodConfig {
  return name === 'standard' ? { name } : { name, attack: { epsilon: EPSILON } };
}

export function methodOf({ name, ...options }: MethodConfig = methodNamed('eat')): Method {
  return partNamed<Method>(METHODS, name).make(options);
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
  const attack = trainedAgainst(config.method);
  return {
    epsilon: attack?.epsilon ?? EPSILON,
    norm: attack?.norm,
    ...config.evaluation,
    seed: config.seed,
    backend: config.backend,
  };
}
