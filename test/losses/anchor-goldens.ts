import { readFileSync } from 'node:fs';

/** Proxy-Anchor by an independent program: its value, and its gradients by both operands. */
export interface AnchorCase {
  loss: string;
  alpha: number;
  delta: number;
  embeddings: number[][];
  labels: number[];
  proxies: number[][];
  value: number;
  gradEmbeddings: number[][];
  gradProxies: number[][];
}

const goldens = JSON.parse(readFileSync(new URL('../goldens/losses.json', import.meta.url), 'utf8')) as {
  cases: AnchorCase[];
};

export const anchorCases = goldens.cases.filter(({ loss }) => loss === 'proxy-anchor');
