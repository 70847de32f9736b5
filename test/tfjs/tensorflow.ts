import * as tf from '@tensorflow/tfjs';
import type { TensorflowBackend } from '../../src/tfjs/custom-ops.js';
import { chooseBackend } from '../../src/tfjs/index.js';

/** The binding of tfjs-node: all that passes between JavaScript and TensorFlow goes through it. */
export interface Binding {
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): number;
  tensorDataSync(id: number): ArrayBufferView;
}

export async function tensorflowBackend(): Promise<TensorflowBackend & { binding: Binding }> {
  await chooseBackend({ backend: 'tensorflow' });
  return tf.backend() as TensorflowBackend & { binding: Binding };
}

/** Puts a copy of the binding, whose functions can be watched, under the backend; returns it with a way back. */
export async function watchedBinding(): Promise<{ binding: Binding; restore: () => void }> {
  const backend = await tensorflowBackend();
  const original = backend.binding;
  const names = Object.getOwnPropertyNames(original) as (keyof Binding)[];
  backend.binding = Object.fromEntries(names.map((name) => [name, original[name]])) as unknown as Binding;
  const restore = () => {
    backend.binding = original;
  };
  return { binding: backend.binding, restore };
}
