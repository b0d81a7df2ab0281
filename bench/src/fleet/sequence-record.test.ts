import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SequenceRecord } from './sequence-record.js';

describe('SequenceRecord', () => {
  it('tells repeats, late ones and missing ones apart', () => {
    const record = new SequenceRecord();
    expect([1, 2, 4, 3, 4, 7].map((k) => record.note(k))).toEqual([
      'in-order',
      'in-order',
      'in-order',
      'reordered',
      'repeated',
      'in-order',
    ]);
    expect(record).toMatchObject({ received: 5, repeated: 1, reordered: 1 });
    expect(record.outcome(8)).toEqual({ lost: [5, 6, 8], covered: 0 });
  });

  it('takes a gap for what lies between the last number before it and the first after it, and for nothing else', () => {
    const record = new SequenceRecord();
    for (const k of [1, 3]) record.note(k);
    record.gap();
    for (const k of [6, 8]) record.note(k);
    expect(record.outcome(9)).toEqual({ lost: [2, 7, 9], covered: 2 });
    record.gap();
    expect(record.outcome(9)).toEqual({ lost: [2, 7], covered: 3 });
    record.note(9);
    record.note(11);
    expect(record.outcome(11)).toEqual({ lost: [2, 7, 10], covered: 2 });
  });

  it('counts any history as a set and a list of arrivals would', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 })), (arrivals) => {
        const record = new SequenceRecord();
        const seen = new Set<number>();
        let late = 0;
        for (const k of arrivals) {
          if (!seen.has(k) && k < Math.max(0, ...seen)) late++;
          seen.add(k);
          record.note(k);
        }
        expect(record.received).toBe(seen.size);
        expect(record.repeated).toBe(arrivals.length - seen.size);
        expect(record.reordered).toBe(late);
        expect(record.outcome(300).lost).toHaveLength(300 - seen.size);
      }),
    );
  });
});
