import { describe, expect, it } from 'vitest';
import { olderQueueSpec, queueSpec } from './spec.js';

describe('queueSpec', () => {
  it('is a durable classic queue with a single active consumer and every limit set', () => {
    const spec = queueSpec('alice', 's1', 300_000, 1_000);
    expect(spec).toMatchObject({ name: 'session.alice.s1', durable: true });
    expect(spec).not.toHaveProperty('exclusive');
    expect(spec.arguments).toMatchObject({
      'x-queue-type': 'classic',
      'x-single-active-consumer': true,
      'x-max-length': 1_001,
      'x-overflow': 'drop-head',
      'x-dead-letter-exchange': 'mesh.dropped',
    });
    // A slow client's events, and the seal, would expire in the queue of a session that is attached.
    expect(spec.arguments).not.toHaveProperty('x-message-ttl');
  });

  it('is told from one of an edge that knows no seals', () => {
    expect(olderQueueSpec('alice', 's1', 300_000, 1_000)).toMatchObject({
      name: 'session.alice.s1',
      arguments: { 'x-message-ttl': 300_000, 'x-max-length': 1_000 },
    });
  });

  it('is the same on every declaration of a session', () => {
    expect(queueSpec('u', 'sid', 60_000, 5)).toEqual(queueSpec('u', 'sid', 60_000, 5));
  });

  it('outlives its session by a minute and up to a tenth of its lifetime, spread evenly over many sessions', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 5_000; n += 1) {
      const expires = Number(queueSpec('u', `session-${n}`, 300_000, 1)?.arguments?.['x-expires']);
      expect(expires).toBeGreaterThanOrEqual(360_000);
      expect(expires).toBeLessThan(390_000);
      const tenth = Math.floor((expires - 360_000) / 3_000);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(250);
  });
});
