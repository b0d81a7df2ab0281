import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lanes, type Turn } from './lanes.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(0);

interface Open {
  entry: string;
  done: (turn?: Turn) => void;
}

/** Lanes whose entries the test settles; `open`: those that run, in the order in which they began. */
function make(concurrency: number, crowd?: number) {
  const open: Open[] = [];
  const began: string[] = [];
  const lanes = new Lanes<string>(
    concurrency,
    (entry) => {
      began.push(entry);
      return new Promise<Turn>((resolve) => {
        const done = (turn?: Turn) => {
          open.splice(open.indexOf(at), 1);
          resolve(turn);
        };
        const at = { entry, done };
        open.push(at);
      });
    },
    crowd,
  );
  const push = (...entries: string[]) => {
    for (const entry of entries) lanes.push(entry.slice(0, 1), entry);
  };
  const finish = async (entry: string, turn?: Turn) => {
    open.find((each) => each.entry === entry)?.done(turn);
    await settled();
  };
  return { lanes, open, began, push, finish };
}

describe('lanes', () => {
  it('carry out the entries of one lane one after another, those of others side by side', async () => {
    const { began, push, finish, lanes } = make(16);
    push('a1', 'a2', 'b1', 'b2');
    expect(began).toEqual(['a1', 'b1']);
    await finish('b1');
    expect(began).toEqual(['a1', 'b1', 'b2']);
    await finish('a1');
    await finish('b2');
    await finish('a2');
    expect(lanes.isIdle).toBe(true);
  });

  it('run so many at once, and no lane keeps another waiting for ever', async () => {
    const { began, push, finish } = make(1);
    push('a1', 'a2', 'a3', 'b1', 'c1');
    for (const entry of ['a1', 'b1', 'c1', 'a2']) await finish(entry);
    expect(began).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
  });

  it('try an entry again at once behind which a crowd waits, so that no lane keeps out the others', async () => {
    const { began, push, finish } = make(1, 2);
    push('a1', 'a2', 'a3');
    await finish('a1', { againInMs: 1_000 });
    expect(began).toEqual(['a1', 'a1']);
    await finish('a1');
    await finish('a2', { againInMs: 1_000 });
    expect(began).toEqual(['a1', 'a1', 'a2']);
  });

  it('try an entry again before what came after it, and give its place to others meanwhile', async () => {
    const { began, push, finish } = make(1);
    push('a1', 'a2', 'b1');
    await finish('a1', { againInMs: 1_000 });
    expect(began).toEqual(['a1', 'b1']);
    await finish('b1');
    await vi.advanceTimersByTimeAsync(999);
    expect(began).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    await finish('a1');
    expect(began).toEqual(['a1', 'b1', 'a1', 'a2']);
  });

  it('give back what does not run, lane by lane in order, also what is to be tried again', async () => {
    const { began, push, finish, lanes, open } = make(2);
    push('a1', 'a2', 'b1', 'b2', 'c1');
    await finish('b1', { againInMs: 1_000 });
    lanes.stop();
    expect(lanes.running).toEqual(['a1', 'c1']);
    expect(lanes.drain()).toEqual(['a2', 'b1', 'b2']);
    const finished = lanes.finished();
    for (const { done } of [...open]) done();
    await finished;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(began).toEqual(['a1', 'b1', 'c1']);
  });

  it('take up again what is delivered again after they were emptied, behind what still runs', async () => {
    const { began, push, finish, lanes } = make(2);
    push('a1', 'a2');
    expect(lanes.drain()).toEqual(['a2']);
    push('a1', 'a2');
    expect(began).toEqual(['a1']);
    await finish('a1');
    await finish('a1');
    expect(began).toEqual(['a1', 'a1', 'a2']);
  });

  it('keep the order of each lane and lose nothing, whatever fails and however long it takes', async () => {
    const entry = fc.record({ lane: fc.constantFrom('a', 'b', 'c'), tries: fc.nat(2), ms: fc.nat(50) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (given, most) => {
          const done: { lane: string; n: number }[] = [];
          const running = new Set<string>();
          const lanes = new Lanes<{ lane: string; n: number; tries: number; ms: number }>(
            most,
            async (each) => {
              expect(running.has(each.lane)).toBe(false);
              running.add(each.lane);
              expect(running.size).toBeLessThanOrEqual(most);
              await new Promise((resolve) => setTimeout(resolve, each.ms));
              running.delete(each.lane);
              each.tries -= 1;
              if (each.tries >= 0) return { againInMs: 20 };
              done.push({ lane: each.lane, n: each.n });
              return undefined;
            },
          );
          given.forEach((each, n) => void lanes.push(each.lane, { ...each, n }));
          await vi.advanceTimersByTimeAsync(60_000);
          expect(lanes.isIdle).toBe(true);
          for (const lane of ['a', 'b', 'c']) {
            const order = given.flatMap((each, n) => (each.lane === lane ? [n] : []));
            expect(done.filter((each) => each.lane === lane).map(({ n }) => n)).toEqual(order);
          }
        },
      ),
    );
  });
});
