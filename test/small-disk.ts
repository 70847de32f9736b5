import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A file system of its own: a little room, then no more. */
export interface SmallDisk {
  path: string;
  /** Takes up all that is left. */
  fill(): void;
  /** Gives back what `fill` took. */
  empty(): void;
  readOnly(): void;
}

/** Removed when the test that asked for it ends. */
export function smallDisk(kibibytes: number): SmallDisk {
  const disk = mounted(kibibytes);
  onTestFinished(disk.remove);
  return disk;
}

/** False without Linux and root: tests that need a disk are then shown as skipped. */
export const canMount = (() => {
  try {
    mounted(64).remove();
    return true;
  } catch {
    return false;
  }
})();

function mounted(kibibytes: number): SmallDisk & { remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'eat-dml-disk-'));
  const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'ignore' });
  mount('-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', path);
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      for (let size = kibibytes * 1024; size >= 1; size >>= 1) {
        try {
          writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
        } catch {
          // Less, then.
        }
      }
    },
    empty: () => rmSync(filler),
    readOnly: () => mount('-o', 'remount,ro', path),
    remove() {
      execFileSync('umount', [path]);
      rmdirSync(path);
    },
  };
}
