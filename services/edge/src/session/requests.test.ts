import type { PublishOutcome } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { edgeConfig } from '../config.js';
import type { SessionContext } from './context.js';
import { SessionTally } from './load.js';
import { ClientRequests } from './requests.js';
import type { Subscriptions } from './subscriptions.js';

function make(outcome: PublishOutcome = 'routed') {
  const said: Record<string, unknown>[] = [];
  const clock = { nowMs: 1_000 };
  const config = edgeConfig.parse({ secret: ['sixteen bytes at least'], framesPerSecond: 1, framesBurst: 2 });
  const publisher = { publish: async () => outcome };
  const context = { config, publisher, tally: new SessionTally(), now: () => clock.nowMs };
  const requests = new ClientRequests(
    context as unknown as SessionContext,
    { id: 't', uid: 'alice', sid: 's', node: 'edge-1', epoch: 1, expiresAt: 2 },
    {} as Subscriptions,
    (frame) => said.push(JSON.parse(frame)),
  );
  return { requests, said, clock, config };
}

describe('what a client asks for', () => {
  it('is not timed out once its reply has come', async () => {
    const { requests, said, clock, config } = make();
    requests.handle({ t: 'request', id: 'answered', method: 'quote', data: 1 });
    requests.handle({ t: 'request', id: 'forgotten', method: 'quote', data: 2 });
    await requests.answered(1_000);
    requests.replied('answered');
    requests.sweep(clock.nowMs + config.requestTimeoutMs - 1);
    expect(said).toEqual([]);
    requests.sweep(clock.nowMs + config.requestTimeoutMs);
    expect(said).toMatchObject([{ t: 'error', re: 'forgotten', code: 'request-timeout' }]);
  });

  it('is refused one by one beyond the rate, and counted all the same', () => {
    const { requests, said } = make();
    for (const id of ['a', 'b', 'c']) requests.handle({ t: 'publish', id, topic: 'x', data: 1 });
    expect(said).toMatchObject([{ t: 'error', re: 'c', code: 'rate-limited' }]);
    expect(requests.received).toBe(3);
  });

  it('is told when no service is there', async () => {
    const { requests, said } = make('unrouted');
    requests.handle({ t: 'request', id: 'a', method: 'quote', data: 1 });
    await requests.answered(1_000);
    expect(said).toMatchObject([{ t: 'error', re: 'a', code: 'no-service' }]);
  });
});
