// How far pixels alone go on emoji, vendor by vendor: eat-dml data emoji --side 16 && node examples/emoji-pixels.mjs
// It writes what eat-dml score emoji-pixels.npy emoji-labels.npy takes.
import { emoji, nearestNeighbors, writeNpy } from 'eat-dml';

const sides = Object.values(await emoji({ side: 16 }));
const rows = sides[0].length + sides[1].length;
const labels = Int32Array.from(sides.flatMap((side) => [...side.labels]));
const vendors = sides.flatMap((side) => side.names.map((name) => name.split(':')[0]));
const cols = 16 * 16 * 3;
const data = new Float32Array(rows * cols);
data.set(sides[0].images);
data.set(sides[1].images, sides[0].images.length);

await writeNpy('emoji-pixels.npy', { shape: [rows, cols], data });
await writeNpy('emoji-labels.npy', { shape: [rows], data: labels });

const points = { data, rows, cols };
const { indices } = await nearestNeighbors(points, points, { k: 1, excludeSelf: true });
for (const vendor of new Set(vendors)) {
  const own = [...vendors.keys()].filter((i) => vendors[i] === vendor);
  const found = own.filter((i) => labels[indices[i]] === labels[i]).length;
  console.log(`${vendor}: Recall@1 ${(found / own.length).toFixed(3)} of ${own.length} drawings`);
}
