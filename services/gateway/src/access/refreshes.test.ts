import { Mesh } from '@evenkeel/mesh';
import { expect, it, vi } from 'vitest';
import { PassIssuer } from './pass-issuer.js';
import { Refreshes } from './refreshes.js';

it('a gateway whose broker user may not have the queue of refreshes places clients, and says that it answers none', () => {
  const mesh = new Mesh({ url: 'amqp://localhost', name: 'gateway' });
  const refreshes = new Refreshes({
    mesh,
    authenticate: () => Promise.reject(new Error('nobody is asked')),
    denies: () => false,
    passes: new PassIssuer(['x'.repeat(32)], () => 0),
    times: () => ({ edgeNowMs: 0, meshNowMs: 0 }),
    onAnswered: () => {},
    onRefused: () => {},
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  for (const broker of [mesh.consuming, mesh.publishing]) vi.spyOn(broker, 'readiness').mockReturnValue(true);
  expect(mesh.readiness()).toBe(true);
  expect(refreshes.note()).toBe('queue gateway.refresh: not started');
});
