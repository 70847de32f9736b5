/** What the fuzz (test/fuzz/) has found, each by its smallest input. */
import { describe, expect, test } from 'vitest';
import {
  kmeansSync,
  type Matrix,
  nearestCentroid,
  pairwiseDistance,
  pairwiseDistanceSync,
  uploadMatrix,
} from '../../src/kernels/index.js';
import {
  adamW,
  conv2d,
  conv2dBackpropFilter,
  convReluStack,
  logical,
  oneHot,
  pool2d,
  pool2dGradient,
  select,
  stridedCopy,
  topK,
  unary,
} from './network/by-device.js';
import { normalMatrix, testDevices } from './support.js';

const a = normalMatrix(6, 3);
const b = normalMatrix(4, 3, { seed: 2 });
const wrong = (value: unknown) => value as never;
const detach = ({ buffer }: Float32Array) => structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });

/** A property that says `values` one after the other. */
function saying(key: string, ...values: unknown[]) {
  const last = values.length - 1;
  let reads = 0;
  return Object.defineProperty({}, key, { get: () => values[Math.min(reads++, last)], enumerable: true }) as object;
}

/** A 3x3 convolution of one image of 4x4, or a pool. */
const geometry = {
  ...{ batch: 1, inHeight: 4, inWidth: 4, inChannels: 1, outHeight: 4, outWidth: 4, outChannels: 1 },
  ...{ filterHeight: 3, filterWidth: 3, strideHeight: 1, strideWidth: 1 },
  ...{ padTop: 1, padLeft: 1, dilationHeight: 1, dilationWidth: 1 },
};
const input = normalMatrix(4, 4).data;
const filter = normalMatrix(3, 3).data;

describe.each(testDevices.filter((device) => device !== 'cuda'))('%s', (device) => {
  const expected = pairwiseDistanceSync(a, b, { device });

  describe('what is checked is what is used', () => {
    test('options, matrices and geometries are asked once', async () => {
      const options = Object.defineProperties(
        { device },
        Object.getOwnPropertyDescriptors(saying('metric', 'dot', 'l2')),
      );
      expect(pairwiseDistanceSync(a, b, wrong(options))).toEqual(pairwiseDistanceSync(a, b, { metric: 'dot', device }));
      const rows = { ...a, ...{} };
      Object.defineProperties(rows, Object.getOwnPropertyDescriptors(saying('rows', 6, 1e6)));
      expect(await pairwiseDistance(rows, b, { device })).toEqual(expected);
      const changing = { ...geometry };
      Object.defineProperties(changing, Object.getOwnPropertyDescriptors(saying('strideHeight', 1, 3)));
      const once = conv2d({ geometry: changing, input, filter, device });
      expect(once).toEqual(conv2d({ geometry, input, filter, device }));
    });

    test('inherited fields of a geometry count', () => {
      const heir = Object.create(geometry) as typeof geometry;
      const given = conv2d({ geometry, input, filter, device });
      expect(conv2d({ geometry: heir, input, filter, device })).toEqual(given);
      const bias = Float32Array.of(0);
      const { out } = convReluStack({ layers: [{ geometry: heir, filter, bias }], input, device });
      expect(out).toEqual(given.map((x) => Math.max(0, x)));
    });

    test('nothing that a getter does meanwhile goes unseen', () => {
      const x = a.data.slice();
      const points = {
        ...b,
        get rows() {
          detach(x);
          return 4;
        },
      };
      const call = () => pairwiseDistanceSync({ ...a, data: x }, points, { device });
      expect(call).toThrow('Expected an attached buffer under a.data but received a detached one.');
      const y = a.data.slice();
      const late = {
        op: 'abs',
        x: y,
        get alpha() {
          detach(y);
          return 0;
        },
        device,
      } as const;
      expect(() => unary(late)).toThrow('Expected an attached buffer under x');
    });

    test('what a getter or a proxy throws is told with its name', () => {
      const cause = new Error('mine');
      const options = {
        device,
        get metric(): never {
          throw cause;
        },
      };
      const call = () => pairwiseDistanceSync(a, b, options);
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT', cause }));
      expect(call).toThrow('Expected metric to be readable but reading it throws: mine');
      const { proxy, revoke } = Proxy.revocable(geometry, {});
      revoke();
      expect(() => conv2d({ geometry: proxy, input, filter, device })).toThrow('Expected geometry');
      expect(() => pairwiseDistanceSync(wrong(proxy), b, { device })).toThrow('Expected a.data to be readable');
    });
  });

  describe('arrays are what the engine says they are', () => {
    test('a proxy and an heir of an array are refused by name', () => {
      for (const make of [(x: object) => new Proxy(x, {}), (x: object) => Object.create(Object.getPrototypeOf(x))]) {
        const floats = wrong(make(new Float32Array(2)));
        expect(() => pairwiseDistanceSync({ ...a, data: floats }, b, { device })).toThrow('Float32Array for a.data');
        expect(() => unary({ op: 'abs', x: floats, device })).toThrow('Float32Array for x');
        const ids = wrong(make(new Int32Array(2)));
        expect(() => oneHot({ indices: ids, rows: 2, depth: 2, device })).toThrow('for indices');
        const flags = wrong(make(new Uint8Array(2)));
        const [t, e] = [new Float32Array(2), new Float32Array(2)];
        expect(() => select({ condition: flags, t, e, rows: 2, device })).toThrow('for condition');
      }
    });

    test('a subclass, and properties that an array has been given, change nothing', async () => {
      class Own extends Float32Array {
        static get [Symbol.species]() {
          return Int32Array as never;
        }
      }
      expect(pairwiseDistanceSync({ ...a, data: new Own(a.data) }, b, { device })).toEqual(expected);
      expect(await pairwiseDistance({ ...a, data: new Own(a.data) }, b, { device })).toEqual(expected);
      const short = Object.defineProperty(a.data.slice(), 'length', { value: 3 });
      expect(await pairwiseDistance({ ...a, data: short }, b, { device })).toEqual(expected);
      expect(unary({ op: 'abs', x: short, device })).toEqual(a.data.map(Math.abs));
    });

    test('a result that claims to be in shared memory is taken over like any other', async () => {
      const out = new Float32Array(24);
      Object.defineProperty(out, 'buffer', { value: new SharedArrayBuffer(4) });
      const running = pairwiseDistance(a, b, { out, device });
      expect(Reflect.get(Object.getPrototypeOf(Float32Array.prototype), 'byteLength', out)).toBe(0);
      expect((await running).data).toEqual(expected.data);
    });

    test('an empty array that was detached is refused too', () => {
      const [flags, out] = [new Uint8Array(4), new Uint8Array(0)];
      structuredClone(flags, { transfer: [flags.buffer] });
      const call = () => logical({ op: 'not', a: flags, out, device });
      expect(call).toThrow('Expected an attached buffer under a ');
    });

    test('an uploaded matrix has the shape it was uploaded with', () => {
      const there = uploadMatrix(a, { device: device === 'js' ? 'js' : 'auto' });
      expect(Reflect.set(there, 'rows', 1000)).toBe(false);
      expect(pairwiseDistanceSync(there, b, { device })).toEqual(expected);
      for (const other of [new Proxy(there, {}), Object.create(there)]) {
        expect(() => pairwiseDistanceSync(other, b, { device })).toThrow('Expected a.data to be readable');
      }
      const copy = { ...there } as Matrix;
      expect(() => pairwiseDistanceSync(copy, b, { device })).toThrow('for a but received an object with rows, cols');
    });
  });

  describe('values of the wrong type are refused by name', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const x = new Float32Array(4);
    const strided = { x, shape: [2], xStrides: [1], outStrides: [1], out: new Float32Array(4), device };
    const CASES: [string, () => unknown, string][] = [
      [
        'checkFinite',
        () => pairwiseDistanceSync(a, b, { device, checkFinite: wrong(cycle) }),
        'true or false for checkFinite',
      ],
      ['on', () => oneHot({ indices: new Int32Array(1), rows: 1, depth: 1, on: wrong(Symbol('s')), device }), 'for on'],
      ['alpha', () => unary({ op: 'step', x, alpha: wrong('x'), device }), 'Expected a number for alpha'],
      ['pruning', () => kmeansSync(a, { k: 2, pruning: wrong(1), device }), 'true or false for pruning'],
      ['shape', () => stridedCopy({ ...strided, shape: wrong(undefined) }), 'for shape but received undefined'],
      ['strides', () => stridedCopy({ ...strided, xStrides: wrong([1n]) }), 'Expected 1 integers for xStrides'],
      ['offset', () => stridedCopy({ ...strided, xOffset: 0.5 }), 'Expected an integer for xOffset'],
      [
        'out',
        () => topK({ x, rows: 1, cols: 4, k: 1, out: wrong(3), device }),
        'Expected an object {values, indices} for out',
      ],
    ];
    test.each(CASES)('%s', (_, call, sentence) => {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
      expect(call).toThrow(sentence);
    });

    test('the input of an average pool’s gradient, which is not needed', () => {
      const options = { op: 'average', geometry, dy: input, device } as const;
      expect(() => pool2dGradient({ ...options, x: wrong(new DataView(new ArrayBuffer(64))) })).toThrow('for x');
      expect(pool2dGradient({ ...options, x: input })).toEqual(pool2dGradient(options));
    });

    test('results over each other, by the caller’s names', () => {
      const [weights, gradient, first, second] = Array.from({ length: 4 }, () => new Float32Array(3));
      const options = { weights, gradient, first, second, beta1: 0.9, beta2: 0.9, kept: 1, rate: 1, floor: 1, device };
      const call = () => adamW({ ...options, out: { weights, first: weights, second } });
      expect(call).toThrow('Expected out.first to lie apart from out.weights but received overlapping memory');
    });
  });

  describe('hostile sizes end', () => {
    test('a window far larger than its image', () => {
      const window = { ...geometry, filterHeight: 2 ** 30, outHeight: 1, padTop: 0 };
      const rows = conv2d({ geometry, input, filter, device }).length / 4;
      const largest = pool2d({
        op: 'max',
        geometry: { ...geometry, filterHeight: rows, outHeight: 1, padTop: 0 },
        x: input,
        device,
      });
      expect(pool2d({ op: 'max', geometry: window, x: input, device })).toEqual(largest);
      const far = { ...window, dilationHeight: 2 ** 30 };
      const sentence = 'Expected windows within 2^31 pixels for geometry.strideHeight, its dilation and padding';
      expect(() => pool2d({ op: 'max', geometry: far, x: input, device })).toThrow(sentence);
    });

    test('a stride far larger than its image needs no memory for it', () => {
      const strided = { ...geometry, outHeight: 3, strideHeight: 2 ** 28, strideWidth: 2 ** 28, padTop: 0, padLeft: 0 };
      const dy = normalMatrix(3, 4).data;
      const values = conv2dBackpropFilter({ geometry: strided, input, dy, device });
      const small = { ...strided, strideHeight: 4, strideWidth: 4 };
      expect(values).toEqual(conv2dBackpropFilter({ geometry: small, input, dy, device }));
    });

    test('a copy that writes one place for ever is refused', () => {
      const one = new Float32Array(1);
      const forever = { x: one, shape: [2 ** 53 - 1], xStrides: [0], outStrides: [0], out: one, device };
      expect(() => stridedCopy(forever)).toThrow('Expected at most 1 values, as many as out has for shape');
    });
  });

  test('a bad value in data that were taken away meanwhile', async () => {
    const bad = { ...a, data: a.data.map((x, i) => (i === 7 ? Number.NaN : x)) };
    const running = nearestCentroid(bad, b, { device });
    detach(bad.data);
    await expect(running).rejects.toThrow(/Expected finite values in points but received NaN.* in row 2/);
  });
});
