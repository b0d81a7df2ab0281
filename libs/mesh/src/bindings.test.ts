import { expect, it } from 'vitest';
import { Bindings } from './bindings.js';

it('refuses a binding beyond the limit, until one is removed', async () => {
  const bindings = new Bindings({
    topology: { bind: async () => {}, unbind: async () => {} },
    redeclare: async () => {},
    onRestored: () => {},
    onFault: () => {},
    log: { debug() {}, info() {}, warn() {}, error() {} },
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
