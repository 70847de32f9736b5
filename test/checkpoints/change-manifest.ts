import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** A manifest as a test sees it. */
export interface LooseManifest {
  members: string[];
  record: Record<string, unknown>;
  files: { path: string; bytes: number; sha256: string }[];
  [key: string]: unknown;
}

/** Changes the manifest in `dir`, and makes its checksum fit again. */
export function changeManifest(dir: string, change: (manifest: LooseManifest) => unknown): void {
  const path = join(dir, 'manifest.json');
  const { checksum: _, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  change(manifest);
  writeFileSync(path, JSON.stringify({ ...manifest, checksum: sha256(JSON.stringify(manifest)) }));
}

/** Puts other bytes into a file of the checkpoint, and makes the manifest fit. */
export function changeFile(dir: string, path: string, bytes: Uint8Array | string): void {
  writeFileSync(join(dir, path), bytes);
  changeManifest(dir, ({ files }) => {
    const entry = files.find((file) => file.path === path)!;
    Object.assign(entry, { bytes: Buffer.byteLength(bytes as Buffer), sha256: sha256(bytes) });
  });
}
