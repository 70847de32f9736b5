import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors as known } from 'hyparquet-compressors';
import { dataFault, EatDmlError, throwIfAborted } from '../../errors.js';

/** What the column of classes is called. */
const LABELS = ['label', 'labels'];

/** Rows of one file, and in one group of them: more are no images. */
const MOST_ROWS = 2 ** 27;

/** One image of a Parquet file. */
export interface ParquetRow {
  /** Of its file; the first is 0. */
  row: number;
  label: number;
  /** The bytes of the image, where they were asked for. */
  image?: Uint8Array;
}

/** A Parquet file of images and labels. */
export interface ParquetFile {
  /** Of the classes, as Hugging Face writes them into the file; [] without. */
  names: string[];
  /** Rows, as the file says. */
  count: number;
  /**
   * Its rows, group by group. What is wrong with one goes to `onFault`, and the row is left out.
   *
   * @throws EatDmlError ERR_DATA that names the file; ERR_ABORTED.
   */
  rows(options: RowOptions): AsyncGenerator<ParquetRow>;
}

export interface RowOptions {
  /** Whether images are read, too. */
  images: boolean;
  onFault: (fault: EatDmlError) => void;
  signal?: AbortSignal;
}

/** @throws EatDmlError ERR_DATA that names the file, where it is none, or has no columns image and label. */
export function openParquet(path: string): Promise<ParquetFile> {
  return named(path, async () => {
    const file = await asyncBufferFromFile(path);
    const metadata = bytesAlone(await parquetMetadataAsync(file));
    const columns = metadata.schema.map(({ name }) => name);
    const label = LABELS.find((name) => columns.includes(name));
    if (!columns.includes('image') || !label)
      throw dataFault(path, 'columns image and label', columns.slice(1).join(', '));
    const count = Number(metadata.num_rows);
    return {
      count,
      names: namesOf(metadata, label),
      rows: (options) => rowsOf({ path, file, metadata, label }, options),
    };
  });
}

interface Opened {
  path: string;
  file: Awaited<ReturnType<typeof asyncBufferFromFile>>;
  metadata: FileMetaData;
  label: string;
}

async function* rowsOf({ path, file, metadata, label }: Opened, { images, onFault, signal }: RowOptions) {
  let rowStart = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    throwIfAborted(signal);
    const rowEnd = rowStart + Number(count);
    if (!(rowEnd >= rowStart && rowEnd <= MOST_ROWS)) throw dataFault(path, `at most ${MOST_ROWS} rows`, `${rowEnd}`);
    const read = { file, metadata, rowStart, rowEnd, compressors, utf8: false };
    const column = (name: string) => named(path, () => parquetReadObjects({ ...read, columns: [name] }));
    // One after the other: where several fail at a time, hyparquet hears of the first, and the process of the others.
    const pictures = images ? await column('image') : undefined;
    const labels = await column(label);
    for (let row = rowStart; row < rowEnd; row++) {
      const number = Number(labels[row - rowStart]?.[label] ?? Number.NaN);
      const image = imageIn(pictures?.[row - rowStart]);
      const wrong = !isLabel(number)
        ? dataFault(path, `an integer as ${label} in row ${row}`, `${labels[row - rowStart]?.[label]}`)
        : images && !(image instanceof Uint8Array)
          ? dataFault(path, `bytes of an image in row ${row}`, typeof image)
          : undefined;
      if (wrong) onFault(wrong);
      else yield { row, label: number, image: image as Uint8Array };
    }
    rowStart = rowEnd;
  }
}

function imageIn(row: Record<string, unknown> | undefined): unknown {
  return (row?.image as { bytes?: unknown } | null | undefined)?.bytes ?? row?.image;
}

function isLabel(value: number): boolean {
  return (value | 0) === value;
}

/** What hyparquet throws, as one error that names the file. */
async function named<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof EatDmlError) throw cause;
    const [line] = String((cause as Error)?.message ?? cause).split('\n', 1);
    throw dataFault(path, 'a Parquet file', line.slice(0, 200), { cause });
  }
}

/** A page of some bytes may claim gigabytes: no more is made of it than deflate could, or a page of equal labels has. */
const compressors = Object.fromEntries(
  Object.entries(known).map(([name, inflate]) => [
    name,
    (input: Uint8Array, length: number) => {
      if (length > Math.max(2 ** 26, 1032 * input.length)) throw new Error(`a page of ${length} bytes`);
      return inflate(input, length);
    },
  ]),
);

/** The file without what stands beside the bytes of an image, such as its path. */
function bytesAlone(metadata: FileMetaData): FileMetaData {
  const at = metadata.schema.findIndex(({ name }) => name === 'image');
  const children = metadata.schema[at]?.num_children ?? 0;
  const inside = metadata.schema.slice(at + 1, at + 1 + children);
  // Deeper nesting is no image of ours: it is refused by its values.
  if (at < 0 || children < 2 || inside.some(({ num_children: deeper }) => deeper)) return metadata;
  const kept = inside.filter(({ name }) => name === 'bytes');
  const image = { ...metadata.schema[at], num_children: kept.length };
  const schema = [...metadata.schema.slice(0, at), image, ...kept, ...metadata.schema.slice(at + 1 + children)];
  const groups = metadata.row_groups.map((group) => ({
    ...group,
    columns: group.columns.filter(({ meta_data: column }) => {
      const [first, second] = column?.path_in_schema ?? [];
      return first !== 'image' || second === 'bytes';
    }),
  }));
  return { ...metadata, schema, row_groups: groups };
}

function namesOf({ key_value_metadata: pairs = [] }: FileMetaData, label: string): string[] {
  const text = pairs.find(({ key }) => key === 'huggingface')?.value;
  try {
    const names = JSON.parse(text ?? '{}').info?.features?.[label]?.names;
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    return [];
  }
}
