import type { WebgpuGlobals } from '../../kernels/webgpu/types.js';

/** What tfjs-backend-webgpu reads of globalThis in every call. */
const READ_ALWAYS = [
  'GPUBufferUsage',
  'GPUMapMode',
  'GPUTextureUsage',
  'GPUBuffer',
  'GPUTexture',
  'GPUExternalTexture',
];

/**
 * Runs `make` with a `navigator.gpu`, for which the backend looks as it is made, and leaves what it reads later: six names, not
 * enumerable, where the user's program has none of its own.
 */
export function withGlobals<T>(globals: WebgpuGlobals, make: () => T): T {
  for (const name of READ_ALWAYS) {
    if (name in globalThis) continue;
    Object.defineProperty(globalThis, name, { value: globals[name], configurable: true, writable: true });
  }
  const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: {} }, configurable: true });
  try {
    return make();
  } finally {
    if (own) Object.defineProperty(globalThis, 'navigator', own);
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
}
