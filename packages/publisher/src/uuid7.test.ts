import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Uuid7 } from './uuid7.js';

describe('a UUIDv7', () => {
  it('has the form, the version, the variant and the time of RFC 9562', () => {
    const id = new Uuid7().next(0x0123456789ab);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(id.slice(0, 13)).toBe('01234567-89ab');
  });

  it('is greater than the one before, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 300 }), (times) => {
        const ids = new Uuid7();
        const made = times.map((ms) => ids.next(1_000_000 + ms));
        expect(made).toEqual([...made].sort());
        expect(new Set(made).size).toBe(made.length);
      }),
    );
  });

  it('stays greater when more are made in a millisecond than the counter holds', () => {
    const ids = new Uuid7();
    const made = Array.from({ length: 10_000 }, () => ids.next(5));
    expect(made).toEqual([...made].sort());
  });
});
