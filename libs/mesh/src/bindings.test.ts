import { expect, it } from 'vitest';
import { Bindings } from './bindings.js';

const log = { debug() {}, info() {}, warn() {}, error() {} };

it('refuses a binding beyond the limit, until one is removed', async () => {
  const bindings = new Bindings({
    channels: [{ bind: async () => {}, unbind: async () => {} }],
    redeclare: async () => {},
    onRestored: () => {},
    onFault: () => {},
    log,
    maxBindings: 1,
  });
  bindings.attach('q');
  await bindings.bind({ exchange: 'x', key: 'a' }, 1_000);
  await bindings.bind({ exchange: 'x', key: 'a' }, 1_000);
  await expect(bindings.bind({ exchange: 'x', key: 'b' }, 1_000)).rejects.toMatchObject({
    code: 'topology-overflow',
  });
  await bindings.unbind({ exchange: 'x', key: 'a' });
  await bindings.bind({ exchange: 'x', key: 'b' }, 1_000);
  expect(bindings.size).toBe(1);
});

it('does everything to one binding over the same channel, and spreads bindings over all of them', async () => {
  const seen = Array.from({ length: 4 }, () => new Set<string>());
  const bindings = new Bindings({
    channels: seen.map((keys) => {
      const note = async (_queue: string, _exchange: string, key: string) => void keys.add(key);
      return { bind: note, unbind: note };
    }),
    redeclare: async () => {},
    onRestored: () => {},
    onFault: () => {},
    log,
  });
  bindings.attach('q');
  const all = Array.from({ length: 40 }, (_, n) => ({ exchange: 'x', key: `k${n}` }));
  for (let round = 0; round < 2; round++) {
    await Promise.all(all.map((binding) => bindings.bind(binding, 1_000)));
    await Promise.all(all.map((binding) => bindings.unbind(binding)));
  }
  expect(seen.reduce((sum, keys) => sum + keys.size, 0)).toBe(all.length);
  expect(seen.every((keys) => keys.size > 0)).toBe(true);
});
