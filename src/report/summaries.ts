import { bytes, double, float, text, varint } from './protobuf.js';

/** Settings of a run by name. */
export type Hyperparameters = Readonly<Record<string, string | number | boolean>>;

/** A picture as the bytes of a PNG file, with its size in pixels. */
export interface PngImage {
  png: Uint8Array;
  width: number;
  height: number;
}

/** `Summary.Value`s (tensorflow/core/framework/summary.proto), a field each of a `Summary`. */
export function scalars(values: Readonly<Record<string, number>>): Buffer[] {
  return Object.entries(values).map(([tag, value]) => bytes(1, [text(1, tag), float(2, value)]));
}

/** As `Summary.Image`: height, width, RGB, the file. */
export function pictures(images: Readonly<Record<string, PngImage>>): Buffer[] {
  return Object.entries(images).map(([tag, { png, width, height }]) => {
    const image = bytes(4, [varint(1, height), varint(2, width), varint(3, 3), bytes(4, [Buffer.from(png)])]);
    return bytes(1, [text(1, tag), image]);
  });
}

/** The tag that TensorBoard's page of hyperparameters looks for, and the plugin that reads it. */
const [HPARAMS_TAG, HPARAMS] = ['_hparams_/session_start_info', 'hparams'];

/**
 * As `HParamsPluginData` with a `SessionStartInfo` (tensorboard/plugins/hparams/plugin_data.proto) in the metadata of a tensor whose
 * value is not looked at.
 */
export function hyperparameters(values: Hyperparameters): Buffer[] {
  const entries = Object.entries(values).map(([name, value]) =>
    bytes(1, [text(1, name), bytes(2, [jsonValue(value)])]),
  );
  const started = bytes(3, [...entries, double(5, Date.now() / 1000)]);
  const metadata = bytes(9, [bytes(1, [text(1, HPARAMS), bytes(2, [started])])]);
  const nothing = bytes(8, [varint(1, 1), bytes(2, [bytes(2, [varint(1, 1)])]), float(5, 0)]);
  return [bytes(1, [text(1, HPARAMS_TAG), metadata, nothing])];
}

/** A `google.protobuf.Value`. */
function jsonValue(value: string | number | boolean): Buffer {
  if (typeof value === 'number') return double(2, value);
  return typeof value === 'boolean' ? varint(4, Number(value)) : text(3, value);
}
