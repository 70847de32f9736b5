import type { Renaming } from './names.js';

/** Of timm's names in a block without and with widening, to torchvision's. */
const NARROW: Record<string, string> = { conv_dw: '0.0', bn1: '0.1', conv_pw: '1', bn2: '2' };
const WIDE: Record<string, string> = {
  conv_pw: '0.0',
  bn1: '0.1',
  conv_dw: '1.0',
  bn2: '1.1',
  conv_pwl: '2',
  bn3: '3',
};

/** timm's mobilenetv2_100, whose stages are numbered one by one: blocks.1.0.conv_pw is features.2.conv.0.0. */
export function timmMobilenetV2(stages: readonly { expansion: number; count: number }[]): Renaming {
  const before = stages.map((_, i) => stages.slice(0, i).reduce((sum, { count }) => sum + count, 1));
  const last = stages.reduce((sum, { count }) => sum + count, 1);
  const ends: Record<string, string> = {
    conv_stem: 'features.0.0',
    bn1: 'features.0.1',
    conv_head: `features.${last}.0`,
    bn2: `features.${last}.1`,
  };
  return {
    mark: 'conv_stem.weight',
    rename(name) {
      const block = /^blocks\.(\d+)\.(\d+)\.(\w+)\.(\w+)$/.exec(name);
      if (block) {
        const [stage, i, layer, end] = [Number(block[1]), Number(block[2]), block[3], block[4]];
        const inside = stages[stage]?.expansion === 1 ? NARROW : WIDE;
        const known = stage < stages.length && i < stages[stage].count && Object.hasOwn(inside, layer);
        return known ? `features.${before[stage] + i}.conv.${inside[layer]}.${end}` : name;
      }
      const [layer, end, ...more] = name.split('.');
      return more.length === 0 && Object.hasOwn(ends, layer) ? `${ends[layer]}.${end}` : name;
    },
  };
}
