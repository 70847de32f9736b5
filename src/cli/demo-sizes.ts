import type { Config, MethodConfig } from '../config/schema.js';

/** Of every attack of the demo, in training and in evaluation, in [0, 1] pixel units (linf). */
const EPSILON = 0.1;
const SEED = 1;

interface DemoSize {
  perClass: number;
  epochs: number;
  width: number;
  batch: number;
  steps: number;
  /** Unseen images that are attacked and clustered. */
  count: number;
}

/** Some minutes on two cores with the native addon; without it, about as long with less of everything. */
const FAST: DemoSize = { perClass: 400, epochs: 8, width: 16, batch: 64, steps: 5, count: 600 };
const SLOW: DemoSize = { perClass: 300, epochs: 8, width: 8, batch: 64, steps: 3, count: 300 };

/** The demo's configuration: its sizes, with what the file and the flags say on top. */
export function demoConfig(given: Config, flags: { epochs?: number; perClass?: number }, fast: boolean): Config {
  const size = fast ? FAST : SLOW;
  const data = given.data ?? { name: 'fashion-mnist', split: 'zero-shot', perClass: flags.perClass ?? size.perClass };
  const { model = { kind: 'conv' as const } } = given;
  const conv = model.kind === 'conv' ? model : undefined;
  return {
    ...given,
    seed: given.seed ?? SEED,
    data,
    model: conv ? { width: size.width, dimension: 64, ...conv } : given.model,
    training: { epochs: flags.epochs ?? size.epochs, batch: { size: size.batch }, ...given.training },
    evaluation: { suite: 'quick', count: size.count, epsilon: EPSILON, ...given.evaluation },
  };
}

/** The three methods, against the attack that they are evaluated under, in fewer steps. */
export function demoMethods({ evaluation }: Config, fast: boolean): MethodConfig[] {
  const { steps } = fast ? FAST : SLOW;
  const attack = { epsilon: evaluation?.epsilon ?? EPSILON, norm: evaluation?.norm, steps };
  return [{ name: 'standard' }, { name: 'at', attack }, { name: 'eat', attack }];
}
