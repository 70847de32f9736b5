import { type EvaluationFlags, evaluationFlags } from '../config/evaluation-of-run.js';
import { PARTS } from '../config/lists.js';
import { hasOption } from '../config/make.js';
import type { Config } from '../config/schema.js';
import { EatDmlError } from '../errors.js';
import { dataSpec } from './data-spec.js';
import { evaluatedModel } from './model-flags.js';
import { configOf, type ModelFlags, type SharedFlags } from './options.js';

/** What flags say of a network that no run made, and of the images that it is measured on. */
export interface MeasuredFlags extends ModelFlags {
  /** fashion-mnist, cub200:/path */
  data?: string;
  split?: string;
  resize?: number;
  crop?: number;
  skipBroken?: number;
}

/** The configuration that such a network is evaluated by: a file's, with what flags say on top. */
export async function measuredConfig(flags: SharedFlags & EvaluationFlags & MeasuredFlags): Promise<Config> {
  const file = await configOf(flags);
  return {
    ...file,
    model: evaluatedModel(flags, file.model),
    data: dataNamed(flags, file.data),
    evaluation: { ...file.evaluation, ...evaluationFlags(flags) },
  };
}

/** The data of the flags, or of the file; no default, as nobody has said what the network is for. */
function dataNamed(flags: MeasuredFlags, configured: Config['data']): NonNullable<Config['data']> {
  const { data, split, resize, crop, skipBroken } = flags;
  const named = data === undefined ? configured : dataSpec(data);
  if (!named)
    throw new EatDmlError('ERR_ARGUMENT', 'Expected --data, or data in --config, beside --model but found neither.');
  const base = named.name === configured?.name ? { ...configured, ...named } : named;
  const cut = crop ?? 224;
  const transform = resize === undefined && crop === undefined ? undefined : { resize: resize ?? cut, crop: cut };
  const given = { split, skipBroken, transform };
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [key] of said) {
    if (hasOption(PARTS.data, base.name, key)) continue;
    const flag = {
      split: '--split',
      skipBroken: '--skip-broken',
      transform: crop === undefined ? '--resize' : '--crop',
    }[key];
    throw new EatDmlError('ERR_CONFIG', `Expected no ${flag} with the data ${base.name}.`);
  }
  return { ...base, ...Object.fromEntries(said) } as NonNullable<Config['data']>;
}
