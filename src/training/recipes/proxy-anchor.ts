import type { LoopOptions } from '../loop-options.js';
import { recipePart, type Trained } from './recipe.js';

/**
 * What Proxy-Anchor's authors train by (Kim et al., CVPR 2020; their program's defaults and the commands in its README). By set
 * and network; a set they did not train on has CUB's values, a network BN-Inception's.
 */
function loop({ data, model }: Trained): LoopOptions {
  const resnet50 = model.kind === 'resnet50';
  const large = isLarge(data);
  const slow = data === 'cars196' ? 2 : 1;
  return {
    epochs: 60,
    batch: { size: resnet50 ? 120 : 180 },
    learningRate: large ? 6e-4 : 1e-4,
    weightDecay: 1e-4,
    schedule: large
      ? { name: 'step', every: 20, gamma: 0.25 }
      : { name: 'step', every: slow * (resnet50 ? 5 : 10), gamma: 0.5 },
    warmUp: resnet50 ? 5 : 1,
    clip: { value: 10 },
  };
}

const isLarge = (data: string) => data === 'sop' || data === 'in-shop';

/** Mean and maximum of the last maps added; on CUB and CARS, normalisations as ImageNet left them. */
function model({ data }: Trained) {
  return { pooling: 'gap+gmp', frozenBatchNorm: data === 'cub200' || data === 'cars196' };
}

export const proxyAnchorRecipePart = recipePart(
  'proxy-anchor',
  'AdamW, proxies at 100 times the rate, head and proxies first, the rate by steps, gradients cut at 10 (Kim et al., CVPR 2020)',
  { loop, model },
);
