import { expect, it } from 'vitest';
import { MeasuredSet } from '../../src/evaluation/measured-set.js';
import { perClassPart } from '../../src/evaluation/protocols/per-class.js';
import type { ProtocolRun } from '../../src/evaluation/protocols/protocol.js';

/** Embeddings at these angles in degrees. */
const at = (...degrees: number[]) => ({
  data: Float32Array.from(degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)])),
  rows: degrees.length,
  cols: 2,
});
const labels = Int32Array.of(7, 7, 7, 3, 3, 9);
const clean = new MeasuredSet(at(0, 1, 3, 120, 121.5, 240), labels, { k: 3, seed: 1, clusterRestarts: 20 });

it('scores every class by itself, clean and in its own worst case, by label', async () => {
  const observer = await perClassPart.make({})({ clean } as unknown as ProtocolRun);
  // One of class 7 goes over to class 3; and in another attack, class 3 apart.
  await observer!.attacked!(clean.moved(at(0, 1, 120.5, 120, 121.5, 240)));
  await observer!.attacked!(clean.moved(at(0, 1, 3, 120, 239, 240)));
  const { perClass } = await observer!.end!();
  expect(perClass.map(({ label, images }) => [label, images])).toEqual([
    [3, 2],
    [7, 3],
    [9, 1],
  ]);
  const [three, seven, nine] = perClass;
  expect([three, seven].map((c) => c.clean)).toEqual(Array(2).fill({ recallAt1: 1, mapAtR: 1, bestClusterF1: 1 }));
  // Nothing of class 9 can be found.
  expect(nine.clean).toEqual({ recallAt1: null, mapAtR: null, bestClusterF1: 1 });
  // Class 3: in the first attack its cluster has three images, two of them its own; in the second one of two searches fails.
  expect(three.worst.bestClusterF1).toBeCloseTo(2 / 3, 12);
  expect(three.worst.recallAt1).toBe(0.5);
  // Class 7: two of three are in its cluster of two.
  expect(seven.worst.bestClusterF1).toBeCloseTo(0.8, 12);
  expect(seven.worst.recallAt1).toBeCloseTo(2 / 3, 12);
  expect(nine.worst.bestClusterF1).toBeCloseTo(2 / 3, 12);
});
