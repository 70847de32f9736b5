import * as tf from '#tf';
import type { Norm } from '../../kernels/index.js';
import { notFinite, outsideBox } from '../../kernels/matrix.js';
import { faultsOf } from '../reading/faults.js';
import { look } from '../reading/readings.js';

/**
 * The attack step and the projection by operations in float32, for devices whose memory the kernels do not reach: near theirs, which
 * compute in double, and never outside the ball or the box.
 */

interface Ball {
  norm: Norm;
  epsilon: number;
  box?: [number, number];
}

/** Halvings of what meets the radius: as many as float32 has digits for, and some. */
const HALVINGS = 30;

/** Shares of the radius that are given up to rounding, of one value and of a sum of many. */
const SLACK = { linf: 2 ** -22, l2: 1e-5, l1: 1e-5 };

/** Entry by entry; low <= 0 <= high. */
type Bounds = { low: tf.Tensor2D; high: tf.Tensor2D } | undefined;

/** proj(origin, current + step(gradient)), as `attackStep` of the kernels. */
export function stepByOperations(
  tensors: { origin: tf.Tensor; current: tf.Tensor; gradient: tf.Tensor },
  { stepSize, ...ball }: Ball & { stepSize: number },
): tf.Tensor {
  return tf.tidy(() => {
    lookForFaults(tensors);
    if (ball.box) lookOutside('origin', tensors.origin, ball.box);
    const [origin, current, gradient] = [tensors.origin, tensors.current, tensors.gradient].map(rowsOf);
    const delta = tf.add<tf.Tensor2D>(tf.sub(current, origin), stepAlong(gradient, ball.norm, stepSize));
    const kept = projected(delta, ball, boundsOf(origin, ball.box));
    const moved = tf.add<tf.Tensor2D>(origin, kept);
    // One unit in the last place back where the sum was rounded outwards.
    const outwards = tf.greater(tf.abs(tf.sub(moved, origin)), tf.abs(kept));
    const nearer = tf.sub(moved, tf.mul(tf.sign(kept), tf.mul(tf.abs(moved), 2 ** -23)));
    const inside = tf.where(outwards, nearer, moved);
    return tf.reshape(ball.box ? tf.clipByValue(inside, ...ball.box) : inside, tensors.origin.shape);
  });
}

/** As `projectPerturbation` of the kernels; `box` is where `around` moved by the result lies. */
export function projectByOperations(delta: tf.Tensor, around: tf.Tensor | undefined, ball: Ball): tf.Tensor {
  return tf.tidy(() => {
    lookForFaults({ delta, ...(around && { around }) });
    if (around && ball.box) lookOutside('around', around, ball.box);
    const bounds = around && boundsOf(rowsOf(around), ball.box);
    return tf.reshape(projected(rowsOf(delta), ball, bounds), delta.shape);
  });
}

function rowsOf(t: tf.Tensor): tf.Tensor2D {
  return tf.reshape(t, [t.shape[0], t.size / t.shape[0]]);
}

function boundsOf(x: tf.Tensor2D, box: [number, number] | undefined): Bounds {
  return box && { low: tf.sub(box[0], x), high: tf.sub(box[1], x) };
}

/** stepSize sign(g), or stepSize g / |g|; a gradient of zero is no step. */
function stepAlong(gradient: tf.Tensor2D, norm: Norm, stepSize: number): tf.Tensor2D {
  if (norm === 'linf') return tf.mul(tf.sign(gradient), stepSize);
  // Over its largest value first: squares of small ones would be lost.
  const largest = tf.max(tf.abs(gradient), 1, true);
  const zero = tf.equal(largest, 0);
  const scaled = tf.div<tf.Tensor2D>(gradient, tf.where(zero, tf.onesLike(largest), largest));
  const length = lengthOf(scaled, norm);
  return tf.mul(tf.div(scaled, tf.where(zero, tf.onesLike(length), length)), stepSize);
}

/** [n, 1]. */
function lengthOf(delta: tf.Tensor2D, norm: 'l1' | 'l2'): tf.Tensor2D {
  if (norm === 'l1') return tf.sum(tf.abs(delta), 1, true);
  return tf.sqrt(tf.sum(tf.square(delta), 1, true));
}

function clip(delta: tf.Tensor2D, bounds: Bounds): tf.Tensor2D {
  return bounds ? tf.minimum(tf.maximum(delta, bounds.low), bounds.high) : delta;
}

/** The nearest of ball and bounds: clip(t delta) in l2, clip(sign(delta) max(|delta| - t, 0)) in l1, by bisection on t. */
function projected(delta: tf.Tensor2D, { norm, epsilon }: Ball, bounds: Bounds): tf.Tensor2D {
  const radius = epsilon * (1 - SLACK[norm]);
  if (norm === 'linf') return clip(tf.clipByValue(delta, -radius, radius), bounds);
  const size = tf.abs(delta);
  const left = (t: tf.Tensor2D) =>
    clip(norm === 'l2' ? tf.mul(delta, t) : tf.mul(tf.sign(delta), tf.relu(tf.sub(size, t))), bounds);
  const fits = (t: tf.Tensor2D) => tf.lessEqual(lengthOf(left(t), norm), radius);
  // Where nothing has to be taken away, and where enough is: without the bounds it is no more than that.
  const none = tf.fill([delta.shape[0], 1], norm === 'l2' ? 1 : 0) as tf.Tensor2D;
  let little = none;
  const most = () => tf.div<tf.Tensor2D>(radius, tf.maximum(lengthOf(delta, 'l2'), 1e-30));
  let enough: tf.Tensor2D = norm === 'l2' ? most() : tf.max<tf.Tensor2D>(size, 1, true);
  for (let i = 0; i < HALVINGS; i++) {
    const middle = tf.mul<tf.Tensor2D>(tf.add(little, enough), 0.5);
    const fit = fits(middle);
    [little, enough] = [tf.where(fit, little, middle), tf.where(fit, middle, enough)];
  }
  return left(tf.where(fits(none), none, enough));
}

/** ERR_NOT_FINITE for a row of any of the tensors that is not. */
function lookForFaults(tensors: Record<string, tf.Tensor>): void {
  for (const [name, t] of Object.entries(tensors)) {
    const [rows, cols] = rowsOf(t).shape;
    look(faultsOf(t), (faults) => {
      const row = faults.findIndex((fault) => fault !== 0);
      if (row >= 0) throw notFinite(name, { data: new Float32Array(0), rows, cols }, row, faults[row]);
    });
  }
}

/** ERR_ARGUMENT for a row of `x` outside the box. */
function lookOutside(name: string, x: tf.Tensor, [low, high]: [number, number]): void {
  const rows = rowsOf(x);
  look(tf.max(tf.maximum(tf.sub(low, rows), tf.sub(rows, high)), 1), (beyond) => {
    const row = beyond.findIndex((by) => by > 0);
    if (row >= 0) throw outsideBox(name, row);
  });
}
