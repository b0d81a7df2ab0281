import { describe, expect, it } from 'vitest';
import { queueSpec } from './spec.js';

describe('queueSpec', () => {
  it('is a durable classic queue with a single active consumer and every limit set', () => {
    const spec = queueSpec('alice', 's1', 300_000, 1_000);
    expect(spec).toMatchObject({ name: 'session.alice.s1', durable: true });
    expect(spec).not.toHaveProperty('exclusive');
    expect(spec.arguments).toMatchObject({
      'x-queue-type': 'classic',
      'x-single-active-consumer': true,
      'x-message-ttl': 300_000,
      'x-max-length': 1_000,
      'x-overflow': 'drop-head',
    });
  });

  it('is the same on every declaration of a session', () => {
    expect(queueSpec('u', 'sid', 60_000, 5)).toEqual(queueSpec('u', 'sid', 60_000, 5));
  });

  it('spreads the expiry of many sessions evenly over a tenth of the lifetime, never shortening it', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 5_000; n += 1) {
      const expires = Number(queueSpec('u', `session-${n}`, 300_000, 1)?.arguments?.['x-expires']);
      expect(expires).toBeGreaterThanOrEqual(300_000);
      expect(expires).toBeLessThan(330_000);
      const tenth = Math.floor((expires - 300_000) / 3_000);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(250);
  });
});
