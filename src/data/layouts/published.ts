import { EatDmlError } from '../../errors.js';
import { type Archive, classCount } from './archive.js';
import type { OnFault } from './text-list.js';

/** Images and classes of each side, as published. */
export type Published = Readonly<Record<string, readonly [images: number, classes: number]>>;

/** A fault for each side that has other counts; for archives whose lists say that they have all images. */
export function checkPublished(archive: Archive, published: Published, list: string, onFault: OnFault): void {
  for (const [side, [images, classes]] of Object.entries(published)) {
    const indices = archive.sides[side];
    const held = [indices.length, classCount(archive, indices)];
    if (held[0] === images && held[1] === classes) continue;
    const received = `${held[0]} of ${held[1]}`;
    onFault(
      new EatDmlError(
        'ERR_DATA',
        `Expected the published ${images} images of ${classes} classes in ${side} but received ${received} in ${list}.`,
        { hint: `The list has the last image of the whole set, so it should have all.` },
      ),
    );
  }
}
