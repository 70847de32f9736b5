import type { Gathered, Pixels } from '../../src/evaluation/index.js';
import { randomStream } from '../../src/random.js';

const SIDE = 8;

/** Images of noise, each about a grey of its own. */
function noise(count: number, seed: number): Pixels {
  const { uniform } = randomStream(seed, 'noise');
  const data = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => {
    return ((Math.floor(i / (SIDE * SIDE)) * 40) % 200) | (uniform() * 55);
  });
  return { data, count, height: SIDE, width: SIDE, channels: 1 };
}

/** So many points of five classes that lie apart and then mix, and a picture of each rank. */
export function gatheredOf(count: number, classes = 5): Gathered {
  const { normal, integer } = randomStream(1, 'gathered');
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  const cols = 6;
  const embeddings = (apart: number) => {
    const data = Float32Array.from({ length: count * cols }, (_, i) => {
      const label = labels[Math.floor(i / cols)];
      return normal() + (i % cols === label % cols ? apart : 0) + (label >= cols ? apart : 0);
    });
    return { data, rows: count, cols };
  };
  const side = (apart: number, clusters: Int32Array) => ({ embeddings: embeddings(apart), clusters });
  const mixed = labels.map(() => integer(classes));
  const table = (clusters: Int32Array) => {
    const counts = new Map<string, number>();
    for (const [i, label] of labels.entries()) {
      const key = `${label}/${clusters[i]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, images]) => {
      const [label, cluster] = key.split('/').map(Number);
      return { label, cluster, images };
    });
  };
  const found = (label: number) => ({ label, right: label === 1, image: noise(1, label) });
  return {
    attack: 'pgd',
    samples: Int32Array.from({ length: count }, (_, i) => 2 * i),
    labels,
    clean: side(6, labels),
    attacked: side(1, mixed),
    thumbnails: noise(count, 2),
    table: { clean: table(labels), attacked: table(mixed) },
    pictures: (['worst', 'median'] as const).map((rank, i) => ({
      ...{ sample: 2 * i, label: 1, rank, shift: 0.5 - 0.1 * i, magnified: 5, clusters: { clean: 1, attacked: 3 } },
      ...{ clean: noise(1, 3), attacked: noise(1, 4), perturbation: noise(1, 5) },
      found: { clean: found(1), attacked: found(3) },
    })),
  };
}
