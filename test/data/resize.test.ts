import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { viewed } from '../../src/data/decoding/resize.js';
import type { View } from '../../src/data/transforms.js';
import golden from '../goldens/pillow-resize.json' with { type: 'json' };
import { hasCpu } from '../kernels/support.js';

const addon = vi.hoisted(() => ({ there: true }));
vi.mock('../../src/kernels/load-addon.js', async (original) => {
  const room = await original<typeof import('../../src/kernels/load-addon.js')>();
  return { ...room, loadAddon: () => (addon.there ? room.loadAddon() : undefined) };
});

interface Case extends View {
  width: number;
  height: number;
  first: number[];
  sha256: string;
}

/** The golden's made-up image; with a fourth channel that nothing of the result may show. */
function made({ width, height }: Case, channels: number): Uint8Array {
  const colours = Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  if (channels === 3) return colours;
  return Uint8Array.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? 77 : colours[(i >> 2) * 3 + (i % 4)],
  );
}

const ways = (golden.cases as Case[]).flatMap((wanted) =>
  [3, 4].flatMap((channels) => [true, false].map((native) => ({ wanted, channels, native }))),
);

test.for(ways)(
  '$wanted.width x $wanted.height to $wanted.resized: Pillow’s bits, $channels channels, addon: $native',
  ({ wanted, channels, native }, context) => {
    if (native && !hasCpu) context.skip('no addon');
    addon.there = native;
    const { width, height, first, sha256, ...view } = wanted;
    const pixels = viewed({ pixels: made(wanted, channels), width, height, channels }, view);
    expect([...pixels.subarray(0, 12)]).toEqual(first);
    expect(createHash('sha256').update(pixels).digest('hex')).toBe(sha256);
  },
);
