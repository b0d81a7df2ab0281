import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Position } from './position.js';
import { HistoryTail, isPast, type TailRecord } from './tail.js';

type TypeOf<A> = A extends Arbitrary<infer T> ? T : never;

const topics = ['room.1', 'room.2', 'room.3'];
const step = fc.record({
  topic: fc.option(fc.constantFrom(...topics), { freq: 6, nil: undefined }),
  laterMs: fc.nat(400),
  bytes: fc.integer({ min: 1, max: 50 }),
});
const bounds = fc.record({
  maxRecords: fc.integer({ min: 1, max: 30 }),
  maxBytes: fc.integer({ min: 20, max: 400 }),
});
const limits = fc.record({ size: fc.integer({ min: 1, max: 8 }), seconds: fc.integer({ min: 1, max: 5 }) });

/** Every record that there was, and what the tail makes of them. */
function filled(
  steps: readonly TypeOf<typeof step>[],
  tailLimits: TypeOf<typeof limits>,
  tailBounds: TypeOf<typeof bounds>,
) {
  const tail = new HistoryTail<number>(tailLimits, tailBounds);
  tail.reset(true);
  let atMs = 0;
  const all = steps.map(({ topic, laterMs, bytes }, n): TailRecord<number> => {
    atMs += laterMs;
    return { offset: n, print: `p${n}`, topics: topic ? [topic] : [], atMs, bytes, item: n };
  });
  for (const record of all) tail.add(record);
  return { tail, all, nowMs: atMs };
}

const of = (all: readonly TailRecord<number>[], topic: string) => all.filter((r) => r.topics.includes(topic));
const offsets = (records: readonly Position[]) => records.map(({ offset }) => offset);

describe('the tail of a history', () => {
  it('gives all that came behind a position, or says that some of it is gone, or that it is older', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), limits, bounds, (steps, kept, most) => {
        const { tail, all, nowMs } = filled(steps, kept, most);
        for (const topic of topics) {
          const mine = of(all, topic);
          for (const position of all) {
            const missed = mine.filter(({ offset }) => offset > position.offset);
            const [first] = missed;
            const isGone =
              missed.length > kept.size || (first !== undefined && isPast(first.atMs, kept, nowMs));
            const found = tail.since(topic, position, nowMs);
            if (found.is === 'all') expect(offsets(found.records)).toEqual(offsets(missed));
            if (found.is === 'all') expect(isGone).toBe(false);
            if (found.is === 'lost') expect(isGone).toBe(true);
            if (found.is === 'older') expect(position.offset).toBeLessThan(tail.floor ?? 0);
          }
        }
      }),
    );
  });

  it('knows a position of another life of the stream: by another print, or because it is ahead', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), limits, bounds, (steps, kept, most) => {
        const { tail, all, nowMs } = filled(steps, kept, most);
        for (const topic of topics) {
          expect(tail.since(topic, { offset: all.length, print: 'p0' }, nowMs)).toEqual({ is: 'lost' });
          for (const { offset } of all) {
            if (offset < (tail.floor ?? 0)) continue;
            expect(tail.since(topic, { offset, print: 'x' }, nowMs)).toEqual({ is: 'lost' });
          }
        }
      }),
    );
  });

  it('gives the newest of a topic that count, and says whether the stream may have more of them', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        limits,
        bounds,
        fc.nat(10),
        (steps, kept, most, count) => {
          const { tail, all, nowMs } = filled(steps, kept, most);
          for (const topic of topics) {
            const inLimits = of(all, topic).slice(-kept.size);
            const expected = inLimits
              .slice(Math.max(0, inLimits.length - count))
              .filter(({ atMs }) => !isPast(atMs, kept, nowMs));
            const { records, isWhole } = tail.newest(topic, count, nowMs);
            if (isWhole) expect(offsets(records)).toEqual(offsets(expected));
            else expect(offsets(expected).slice(expected.length - records.length)).toEqual(offsets(records));
          }
        },
      ),
    );
  });

  it('never takes more than its bounds, but for one record, and says what it takes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), limits, bounds, (steps, kept, most) => {
        const { tail, all } = filled(steps, kept, most);
        expect(tail.size).toBeLessThanOrEqual(most.maxRecords);
        const floor = tail.floor ?? 0;
        const held = topics.flatMap((topic) =>
          of(all, topic)
            .slice(-kept.size)
            .filter(({ offset }) => offset >= floor),
        );
        expect(tail.bytes).toBe(held.reduce((sum, { bytes }) => sum + bytes, 0));
        if (tail.size > 1) expect(tail.bytes).toBeLessThanOrEqual(most.maxBytes);
      }),
    );
  });
});
