import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isList } from '../checks.js';
import { invalid } from '../errors.js';
import { fileError, makeFolder } from '../files.js';
import { checkFolder, checkHyperparameters, checkImages, checkPoints, checkScalars, checkStep } from './checks.js';
import { crc32c } from './crc32c.js';
import { bytes, double, text, varint } from './protobuf.js';
import { type Hyperparameters, hyperparameters, type PngImage, pictures, scalars } from './summaries.js';

/** Writes a run's scalars, settings and pictures where TensorBoard reads them. */
export interface EventFile {
  readonly path: string;
  /**
   * One value per tag at `step`, an integer >= 0. On disk when it returns; where it throws (ERR_SYSTEM, of a full disk), the
   * file is as it was before, and a later call may do better.
   */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  /** What the run is made with, for TensorBoard's HPARAMS page. Errors as `scalars`. */
  hyperparameters(values: Hyperparameters): void;
  /** One picture per tag at `step`, for its IMAGES page. Errors as `scalars`. */
  images(step: number, images: Readonly<Record<string, PngImage>>): void;
  close(): void;
}

/** Event files that this process has opened: part of their names. */
let opened = 0;

/**
 * Opens a new event file in `folder`, which is made. The format is TensorFlow's: records (TFRecord) of the protocol buffer
 * `Event` (tensorflow/core/util/event.proto), scalars as `simple_value`. No TensorFlow takes part. Errors: ERR_SYSTEM, ERR_PATH.
 */
export function openEventFile(folder: string): EventFile {
  checkFolder(folder);
  const seconds = Math.floor(Date.now() / 1000);
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${opened++}`);
  const file = inWords('make', path, () => {
    makeFolder(folder);
    return openSync(path, 'ax');
  });
  let size = 0;
  const append = (data: Buffer) =>
    inWords('write', path, () => {
      try {
        writeFileSync(file, data);
        size += data.length;
      } catch (error) {
        // Half a record would end the file for its readers.
        ftruncateSync(file, size);
        throw error;
      }
    });
  try {
    append(record(event([text(3, 'brain.Event:2')])));
  } catch (error) {
    closeSync(file);
    rmSync(path);
    throw error;
  }
  const write = (step: number, summary: Buffer[]) => append(record(event([varint(2, step), bytes(5, summary)])));
  return {
    path,
    scalars(step, values) {
      checkStep(step);
      checkScalars(values);
      write(step, scalars(values));
    },
    hyperparameters(values) {
      checkHyperparameters(values);
      write(0, hyperparameters(values));
    },
    images(step, images) {
      checkStep(step);
      checkImages(images);
      write(step, pictures(images));
    },
    close: () => closeSync(file),
  };
}

function inWords<T>(deed: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(deed, path, error);
  }
}

/** What {@link writeProjector} writes for TensorBoard’s projector. */
export interface ProjectorPoints {
  /** Row-major. */
  data: Float32Array;
  rows: number;
  cols: number;
}

/** Embeddings and their labels for TensorBoard's projector, as files in `folder`, which is made. */
export function writeProjector(folder: string, points: ProjectorPoints, labels: ArrayLike<number | string>): void {
  checkFolder(folder);
  checkPoints(points);
  const { data, rows, cols } = points;
  if (data.length !== rows * cols) throw invalid('points.data', `${rows} x ${cols} values`, data);
  if (!isList(labels) || labels.length !== rows) throw invalid('labels', `${rows} labels`, labels);
  const row = (i: number) => data.subarray(i * cols, (i + 1) * cols).join('\t');
  const config = [
    'embeddings {',
    '  tensor_name: "embeddings"',
    '  tensor_path: "tensors.tsv"',
    '  metadata_path: "metadata.tsv"',
    '}',
  ];
  const files = {
    'tensors.tsv': Array.from({ length: rows }, (_, i) => row(i)),
    'metadata.tsv': Array.from(labels, (label) => String(label).replace(/\s+/g, ' ')),
    'projector_config.pbtxt': config,
  };
  inWords('make', folder, () => makeFolder(folder));
  for (const [name, lines] of Object.entries(files)) {
    const path = join(folder, name);
    inWords('write', path, () => writeFileSync(path, `${lines.join('\n')}\n`));
  }
}

/** length (u64), its checksum, the data, its checksum; all little-endian. */
function record(data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length));
  head.writeUInt32LE(masked(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(masked(data));
  return Buffer.concat([head, data, tail]);
}

/** TFRecord's mask: checksums of data that holds checksums are weak. */
function masked(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** An `Event` of now. */
function event(fields: Buffer[]): Buffer {
  return Buffer.concat([double(1, Date.now() / 1000), ...fields]);
}
