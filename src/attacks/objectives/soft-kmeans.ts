import { z } from 'zod';
import * as tf from '#tf';
import { count, positive } from '../../options.js';
import { objectivePart, requireCentroids } from '../objective.js';
import { classMask } from './class-mask.js';
import { meanRow } from './squared-distances.js';

const options = z.strictObject({
  temperature: positive
    .default(0.1)
    .describe('of the assignments, as a share of the mean squared deviation of the clean embeddings'),
  iterations: count.default(5).describe('steps of k-means that are unrolled'),
});

const TINY = 1e-12;

/**
 * Through the clustering itself: soft k-means from the class means, its iterations unrolled so that centroids move with
 * the attacked embeddings, r_ij = softmax_j(-|e_i - c_j|² / T), c_j = Σ_i r_ij e_i / Σ_i r_ij. The value is minus the
 * mutual information of classes and clusters, -Σ P(y,j) log(P(y,j) / (P(y) P(j))), which no renaming of clusters changes.
 * T is a share of the clean embeddings' mean squared deviation: those of robust models lie so close together that at a fixed T
 * all shares would be alike.
 */
export const softKmeansPart = objectivePart(
  'soft-kmeans',
  'through the clustering itself: lowers the mutual information of classes and clusters',
  options,
  ({ temperature, iterations }, name) => ({
    joint: true,
    flatAtStart: false,
    leastClasses: 2,
    wholeSet: true,
    bind(inputs) {
      const { labels, centroids } = requireCentroids(name, inputs);
      // Of the classes that are there: those of a batch may be few of very many.
      const present = new Map([...new Set(labels)].sort((a, b) => a - b).map((label, i) => [label, i]));
      const own = labels.map((label) => present.get(label)!);
      const share = tf.div<tf.Tensor2D>(tf.cast(classMask(own, present.size), 'float32'), labels.length);
      const ofClass = tf.sum(share, 0, true);
      const origin = meanRow(centroids);
      const first = tf.sub<tf.Tensor2D>(centroids, origin);
      const absolute = tf.mul<tf.Tensor2D>(meanSquaredDeviation(inputs.clean()), temperature);
      return (embeddings) => {
        // Seen from the middle of the classes, where compressed embeddings still differ.
        const rows = tf.sub<tf.Tensor2D>(embeddings, origin);
        let centres = first;
        for (let i = 0; i < iterations; i++) centres = moveCentres(rows, centres, absolute);
        const joint = meetings(share, rows, centres, absolute);
        const independent = tf.matMul(ofClass, tf.sum<tf.Tensor2D>(joint, 0, true), true, false);
        const ratio = tf.sub(tf.log(tf.add(joint, TINY)), tf.log(tf.add(independent, TINY)));
        return tf.reshape(tf.neg(tf.sum(tf.mul(joint, ratio))), [1]);
      };
    },
  }),
);

/** r_ij, [n, k]; |e|² is the same for all j. */
function assignments(embeddings: tf.Tensor2D, centres: tf.Tensor2D, temperature: tf.Tensor2D): tf.Tensor2D {
  const squares = tf.reshape(tf.sum(tf.square(centres), 1), [1, -1]);
  const distances = tf.sub(squares, tf.mul(tf.matMul(embeddings, centres, false, true), 2));
  return tf.softmax(tf.neg(tf.div<tf.Tensor2D>(distances, temperature)));
}

/** Σ_i r_ij e_i / Σ_i r_ij, [k, d]. */
function moveCentres(embeddings: tf.Tensor2D, centres: tf.Tensor2D, temperature: tf.Tensor2D): tf.Tensor2D {
  const moved = (shares: tf.Tensor2D, e: tf.Tensor2D) => {
    const totals = tf.reshape(tf.sum(shares, 0), [-1, 1]);
    const sizes = tf.maximum(totals, TINY);
    return { totals, sizes, means: tf.div<tf.Tensor2D>(tf.matMul(shares, e, true, false), sizes) };
  };
  return byShares(
    { embeddings, centres, temperature },
    {
      value: (shares, e) => moved(shares, e).means,
      gradients(dy, shares, e) {
        const { totals, sizes, means } = moved(shares, e);
        const bySums = tf.div<tf.Tensor2D>(dy, sizes);
        // What is TINY does not change with the shares.
        const bySizes = tf.where(tf.greater(totals, TINY), tf.neg(tf.sum(tf.mul(bySums, means), 1, true)), 0);
        const along = tf.add<tf.Tensor2D>(tf.matMul(e, bySums, false, true), tf.reshape(bySizes, [1, -1]));
        return { byShares: along, byEmbeddings: tf.matMul(shares, bySums) };
      },
    },
  );
}

/** Σ_i share_iy r_ij, [classes, k]: how much of each class is in each cluster. */
function meetings(share: tf.Tensor2D, embeddings: tf.Tensor2D, centres: tf.Tensor2D, temperature: tf.Tensor2D) {
  return byShares(
    { embeddings, centres, temperature },
    {
      value: (shares) => tf.matMul(share, shares, true, false),
      gradients: (dy) => ({ byShares: tf.matMul(share, dy) }),
    },
  );
}

/** What the shares are made of. */
interface Placed {
  embeddings: tf.Tensor2D;
  centres: tf.Tensor2D;
  temperature: tf.Tensor2D;
}

/** A value of shares r [n, k] and embeddings [n, d], and its gradients by both from that by the value. */
interface OfShares {
  value(shares: tf.Tensor2D, embeddings: tf.Tensor2D): tf.Tensor2D;
  gradients(
    dy: tf.Tensor2D,
    shares: tf.Tensor2D,
    embeddings: tf.Tensor2D,
  ): { byShares: tf.Tensor2D; byEmbeddings?: tf.Tensor2D };
}

/**
 * A value of the shares, which are computed once more for its gradient: kept on the tape with all that they are made of, those of many
 * images in very many clusters take gigabytes.
 */
function byShares(placed: Placed, { value, gradients }: OfShares): tf.Tensor2D {
  const { temperature } = placed;
  const op = tf.customGrad((...given) => {
    const [e, c, save] = given as unknown as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    save([e, c]);
    const gradFunc = (dy: tf.Tensor2D, saved: tf.Tensor[]) => {
      const [e, c] = saved as [tf.Tensor2D, tf.Tensor2D];
      return tf.tidy(() => {
        const shares = assignments(e, c, temperature);
        const { byShares: along, byEmbeddings: direct } = gradients(dy, shares, e);
        const [through, byCentres] = byPlaces(along, shares, { embeddings: e, centres: c, temperature });
        return [direct ? tf.add<tf.Tensor2D>(through, direct) : through, byCentres];
      });
    };
    return { value: tf.tidy(() => value(assignments(e, c, temperature), e)), gradFunc };
  });
  return op(placed.embeddings, placed.centres) as tf.Tensor2D;
}

/** Gradients by embeddings and centres from that by the shares: of softmax, then of (2 e_i . c_j - |c_j|²) / T. */
function byPlaces(along: tf.Tensor2D, shares: tf.Tensor2D, { embeddings, centres, temperature }: Placed) {
  const byProducts = tf.tidy(() => {
    const weighted = tf.mul(shares, tf.sub(along, tf.sum(tf.mul(along, shares), 1, true)));
    return tf.div<tf.Tensor2D>(tf.mul(weighted, 2), temperature);
  });
  const own = tf.mul(centres, tf.reshape(tf.sum(byProducts, 0), [-1, 1]));
  return [tf.matMul(byProducts, centres), tf.sub<tf.Tensor2D>(tf.matMul(byProducts, embeddings, true, false), own)];
}

/** mean |e - mean e|², [1, 1]. */
function meanSquaredDeviation(embeddings: tf.Tensor2D): tf.Tensor2D {
  const apart = tf.sum<tf.Tensor2D>(tf.square(tf.sub(embeddings, meanRow(embeddings))), 1, true);
  return tf.maximum(tf.mean(apart, 0, true), TINY);
}
