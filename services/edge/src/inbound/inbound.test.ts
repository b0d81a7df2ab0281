import { describe, expect, it } from 'vitest';
import { inboundMessageId } from './inbound.js';

const uid = `~${'x'.repeat(128)}`;
const sid = 's'.repeat(64);

describe('the message id of what a client sends', () => {
  it('is what services know where AMQP can carry it', () => {
    expect(inboundMessageId('alice', 's', '7')).toBe('alice.s.7');
    expect(inboundMessageId('alice', 's', '€'.repeat(82))).toBe(`alice.s.${'€'.repeat(82)}`);
  });

  it('fits into 255 bytes, the same for the same id and no other’s', () => {
    const ids = ['消'.repeat(128), `${'消'.repeat(127)}!`, 'i'.repeat(128), '€'.repeat(90)];
    const carried = ids.map((id) => inboundMessageId(uid, sid, id));
    expect(new Set(carried).size).toBe(ids.length);
    expect(ids.map((id) => inboundMessageId(uid, sid, id))).toEqual(carried);
    for (const each of carried) {
      expect(Buffer.byteLength(each)).toBeLessThanOrEqual(255);
      expect(each.startsWith(`${uid}.${sid}.`)).toBe(true);
    }
  });
});
