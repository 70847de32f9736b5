import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config/schema.js';

/** The flags that every command which computes takes. */
export interface SharedFlags {
  json?: boolean;
  seed?: number;
  config?: string;
  backend?: Config['backend'];
  device?: Config['device'];
  profile?: boolean;
}

export function sharedOptions(command: Command): Command {
  return command
    .option('--json', 'the result, and nothing else, as JSON on stdout')
    .option('--seed <integer>', 'all randomness derives from it (default 0)', integer)
    .option('--profile', 'say on stderr which kernels ran, how long, and on which path')
    .option('--config <file>', 'JSON file of settings; flags go before it (docs/cli.md)')
    .option('--backend <name>', 'tfjs backend of the networks')
    .option('--device <name>', 'fail unless it is the first there is for kernels');
}

/** The flag of commands that several ranks share (ranks.ts). */
export const DISTRIBUTED = [
  '--distributed',
  'by all ranks that mpirun or srun started; rank 0 tells and writes',
] as const;

/** What flags say of a network. */
export interface ModelFlags {
  /** A kind, or a module of one's own: ./my-model.mjs */
  model?: string;
  weights?: string;
  head?: 'linear' | 'none';
  pooling?: 'gap' | 'gap+gmp';
  dimension?: number;
}

export function modelOptions(command: Command): Command {
  return command
    .option('--model <kind>', 'the network of each member (docs/models.md), or ./my-model.mjs')
    .option('--weights <file>', 'weights that it begins with: .safetensors or .npz')
    .addOption(new Option('--head <head>', 'none: the pooled features as they are').choices(['linear', 'none']))
    .addOption(new Option('--pooling <pooling>', 'of the last maps').choices(['gap', 'gap+gmp']))
    .option('--dimension <columns>', 'columns of the embedding', positiveInteger);
}

/** Whether a flag says anything of the network. */
export function hasModelFlags({ model, weights, head, pooling, dimension }: ModelFlags): boolean {
  return [model, weights, head, pooling, dimension].some((flag) => flag !== undefined);
}

/** The configuration of the flags: the file's (or `base`), with what the flags say on top. */
export async function configOf(flags: SharedFlags, base: Config = {}): Promise<Config> {
  // Imported when it is called: it has all that a configuration can name, and tfjs with it.
  const { readConfig } = await import('../config/read.js');
  const config = flags.config === undefined ? base : await readConfig(flags.config);
  const { seed = config.seed, backend = config.backend, device = config.device } = flags;
  return { ...config, seed, backend, device };
}

export function integer(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected an integer.');
  return value;
}

export function positiveInteger(text: string): number {
  const value = integer(text);
  if (value < 1) throw new InvalidArgumentError('Expected a positive integer.');
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < Infinity))
    throw new InvalidArgumentError('Expected a positive number.');
  return value;
}

export function port(text: string): number {
  const value = integer(text);
  if (value < 1 || value > 65_535) throw new InvalidArgumentError('Expected a port, 1 to 65535.');
  return value;
}

/** A number or a fraction such as 8/255. What it may be depends on the norm, which a flag does not know. */
export function radius(text: string): number {
  const parts = text.split('/');
  const [value, by = 1] = parts.map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const radius = value / by;
  if (parts.length > 2 || !(value >= 0 && by > 0 && radius < Infinity)) {
    throw new InvalidArgumentError('Expected a finite number >= 0 (in [0, 1] pixel units), such as 0.1 or 8/255.');
  }
  return radius;
}

/** "0,2/255,4/255" */
export function radii(text: string): number[] {
  return text.split(',').map(radius);
}

/** "1,2,4,8" */
export function counts(text: string): number[] {
  const values = text.split(',').map(Number);
  if (values.every((value) => Number.isSafeInteger(value) && value >= 1)) return values;
  throw new InvalidArgumentError('Expected positive integers with commas between, such as 1,2,4,8.');
}

/** "2/4": the second of four. */
export function shard(text: string): [number, number] {
  const [i, n, ...more] = text.split('/').map(Number);
  if (more.length === 0 && Number.isSafeInteger(i) && Number.isSafeInteger(n) && i >= 1 && i <= n) return [i, n];
  throw new InvalidArgumentError('Expected a shard such as 2/4.');
}

/** The result on stdout: as JSON alone when asked for, else as text. */
export function printResult(json: boolean | undefined, value: unknown, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
}
