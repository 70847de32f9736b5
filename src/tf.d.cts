/**
 * tfjs as this package takes it, `#tf` in the sources and `eat-dml/tf` for others: its core, its layers, its `cpu` backend, gradients and the
 * methods of its tensors (scripts/tfjs.mjs makes the module that this describes). What else the package `@tensorflow/tfjs` brings, WebGL,
 * the converter and tf.data, takes 190 MB; a program that has it shares core and layers with this one.
 */
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';

export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';
