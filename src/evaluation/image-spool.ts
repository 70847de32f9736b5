import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../files.js';

/** Bytes that are kept in memory; more goes to a temporary file. */
const IN_MEMORY = 256 * 2 ** 20;

/** Attacked images between two passes over a set, of `size` float32 values each: in memory where they are few. */
export class ImageSpool {
  private readonly kept = new Map<number, Float32Array>();
  private file?: Promise<{ folder: string; handle: FileHandle }>;
  private readonly inMemory: boolean;

  constructor(
    private readonly size: number,
    count: number,
    limit = IN_MEMORY,
  ) {
    this.inMemory = 4 * size * count <= limit;
  }

  /** The images, one after the other. */
  async writeAll(images: Int32Array, values: Float32Array): Promise<void> {
    for (const [i, image] of images.entries()) {
      await this.write(image, values.subarray(i * this.size, (i + 1) * this.size));
    }
  }

  async write(image: number, values: Float32Array): Promise<void> {
    if (this.inMemory) {
      this.kept.set(image, values.slice());
      return;
    }
    this.file ??= openFile();
    const { folder, handle } = await this.file;
    const [bytes, at] = [bytesOf(values), image * values.byteLength];
    try {
      for (let written = 0; written < bytes.length; ) {
        written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
      }
    } catch (error) {
      throw fileError('write', folder, error);
    }
  }

  /** The images, one after the other. */
  async read(images: Int32Array): Promise<Float32Array> {
    const values = new Float32Array(images.length * this.size);
    for (const [i, image] of images.entries()) {
      const own = values.subarray(i * this.size, (i + 1) * this.size);
      if (this.inMemory) own.set(this.kept.get(image)!);
      else await (await this.file!).handle.read(bytesOf(own), 0, own.byteLength, image * own.byteLength);
    }
    return values;
  }

  async dispose(): Promise<void> {
    this.kept.clear();
    if (!this.file) return;
    const { folder, handle } = await this.file;
    this.file = undefined;
    await handle.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function openFile() {
  try {
    const folder = await mkdtemp(join(tmpdir(), 'eat-dml-spool-'));
    return { folder, handle: await open(join(folder, 'images'), 'w+') };
  } catch (error) {
    throw fileError('write', tmpdir(), error);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
