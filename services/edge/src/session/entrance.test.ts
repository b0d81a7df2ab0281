import { BrokerError } from '@evenkeel/broker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settled } from '../../testing/session-world.js';
import { Entrance } from './entrance.js';

let nowMs = 0;

beforeEach(() => {
  nowMs = 0;
  // Nobody who is left waiting fails in another test.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => void vi.useRealTimers());

/** An entrance and those who come: each works until it is told that it is done. */
function crowd() {
  const entrance = new Entrance(() => nowMs);
  const begun: string[] = [];
  const done = new Map<string, () => void>();
  const who = new Map<string, object>();
  const come = (name: string) => {
    const key = {};
    who.set(name, key);
    return entrance.enter(key, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => done.set(name, resolve));
      return name;
    });
  };
  return {
    entrance,
    begun,
    come,
    comeMany: (count: number) => Array.from({ length: count }, (_, n) => come(`${n + 1}`)),
    callOff: (name: string) => entrance.callOff(who.get(name) ?? {}),
    async end(name: string) {
      done.get(name)?.();
      await settled();
    },
  };
}

describe('a crowd of sessions', () => {
  it('comes in sixteen at a time, in the order in which it came', async () => {
    const { begun, comeMany, end } = crowd();
    comeMany(20);
    expect(begun).toEqual(Array.from({ length: 16 }, (_, n) => `${n + 1}`));
    await end('7');
    await end('2');
    expect(begun.slice(16)).toEqual(['17', '18']);
  });

  it('goes on behind one whose work fails', async () => {
    const { entrance, begun, come } = crowd();
    const failing = Array.from({ length: 16 }, () =>
      entrance.enter({}, () => Promise.reject(new Error('no'))).catch(() => 'failed'),
    );
    void come('next');
    expect(await Promise.all(failing)).toEqual(Array(16).fill('failed'));
    expect(begun).toEqual(['next']);
  });

  it('loses one that is called off, which nobody waits for', async () => {
    const { entrance, begun, come, comeMany, callOff, end } = crowd();
    comeMany(16);
    const called = come('17');
    void come('18');
    callOff('17');
    expect(await called).toBeUndefined();
    await end('1');
    expect(begun.at(-1)).toBe('18');
    expect(entrance.waitedMs).toBe(0);
  });

  it('takes nothing from one at work that is called off', async () => {
    const { begun, come, comeMany, callOff, end } = crowd();
    const [first] = comeMany(16);
    void come('17');
    callOff('1');
    expect(begun).toHaveLength(16);
    await end('1');
    expect(await first).toBe('1');
    expect(begun.at(-1)).toBe('17');
  });

  it('tells how long the next has waited', async () => {
    const { entrance, comeMany, come, end } = crowd();
    comeMany(16);
    expect(entrance.waitedMs).toBe(0);
    nowMs = 100;
    void come('17');
    nowMs = 300;
    void come('18');
    nowMs = 350;
    expect(entrance.waitedMs).toBe(250);
    await end('1');
    expect(entrance.waitedMs).toBe(50);
  });

  it('is told to try again where its turn does not come for half a minute', async () => {
    const { entrance, comeMany, come } = crowd();
    comeMany(16);
    const late = come('17').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(29_999);
    nowMs = 29_999;
    expect(entrance.waitedMs).toBe(29_999);
    await vi.advanceTimersByTimeAsync(1);
    const error = await late;
    expect(error).toBeInstanceOf(BrokerError);
    expect((error as BrokerError).code).toBe('broker-unavailable');
    expect(entrance.waitedMs).toBe(0);
  });
});

describe('one that waits for others in its work', () => {
  it('leaves its place meanwhile, and goes on before those who have not begun', async () => {
    const { entrance, begun, comeMany, come, end } = crowd();
    let answer = () => {};
    const steps: string[] = [];
    const asking = entrance.enter({}, async () => {
      await entrance.aside(() => new Promise<void>((resolve) => (answer = resolve)));
      steps.push('went on');
    });
    comeMany(16);
    await settled();
    expect(begun).toHaveLength(16);
    void come('17');
    answer();
    await settled();
    expect(steps).toEqual([]);
    await end('3');
    await asking;
    expect(steps).toEqual(['went on']);
    expect(begun.at(-1)).toBe('17');
  });

  it('goes on at once where there is room', async () => {
    const { entrance } = crowd();
    expect(await entrance.enter({}, () => entrance.aside(async () => 'answer'))).toBe('answer');
  });
});
