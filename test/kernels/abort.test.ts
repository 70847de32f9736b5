import { describe, expect, test } from 'vitest';
import { devices, type KMeansProgress, kmeans, pairwiseDistance } from '../../src/kernels/index.js';
import { normalMatrix, testDevices, timesOn } from './support.js';

describe.each(testDevices)('%s', (device) => {
  test('a signal that cannot be listened to is refused, and nothing runs on', async () => {
    const [a, b] = [normalMatrix(6, 3), normalMatrix(4, 3, { seed: 2 })];
    const { signal } = new AbortController();
    const proxy = new Proxy(signal, {});
    await expect(kmeans(a, { k: 2, signal: proxy, device })).rejects.toThrow('Expected an AbortSignal for signal');
    const deaf = Object.defineProperty(signal, 'addEventListener', {
      value: () => {
        throw new Error('deaf');
      },
    });
    expect(await pairwiseDistance(a, b, { signal: deaf, device })).toEqual(await pairwiseDistance(a, b, { device }));
  });

  test('an aborted signal refuses the call', async () => {
    const signal = AbortSignal.abort('enough');
    const call = pairwiseDistance(normalMatrix(3, 3), normalMatrix(3, 3), { device, signal });
    await expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
  });

  test('aborting ends k-means between tiles, and nothing more is reported', async () => {
    const controller = new AbortController();
    const seen: KMeansProgress[] = [];
    const call = kmeans(normalMatrix(timesOn(device, 3000, 1000), 8), {
      k: 40,
      init: 'random',
      maxIterations: 1_000_000,
      tolerance: 0,
      restarts: 3000, // far more work than can be done before the abort arrives
      device,
      signal: controller.signal,
      onIteration: (progress) => {
        seen.push(progress);
        if (seen.length === 3) controller.abort();
      },
    });
    await expect(call).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(seen.slice(0, 3).map((p) => p.iteration)).toEqual([1, 2, 3]);
    const count = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.length).toBe(count);
  });

  test('what onIteration throws ends the call', async () => {
    const onIteration = () => {
      throw new Error('from the callback');
    };
    const call = kmeans(normalMatrix(300, 8), { k: 4, device, onIteration });
    await expect(call).rejects.toThrow('from the callback');
  });

  test('the event loop turns while a call runs', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    // js and the emulator take long enough with less.
    const slow = device === 'js' || devices().some(({ name, byNameOnly }) => name === device && byNameOnly);
    const size = slow ? timesOn(device, 700, 300) : 6000;
    await pairwiseDistance(normalMatrix(size, 64), normalMatrix(size, 64), { device });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  test('concurrent calls give what calls one after the other give', async () => {
    const calls = Array.from(
      { length: 6 },
      (_, i) => [normalMatrix(timesOn(device, 200, 70), 20, { seed: i }), normalMatrix(90, 20)] as const,
    );
    const together = await Promise.all(calls.map(([a, b]) => pairwiseDistance(a, b, { device })));
    for (const [i, [a, b]] of calls.entries()) {
      expect(together[i].data).toEqual((await pairwiseDistance(a, b, { device })).data);
    }
  });
});
