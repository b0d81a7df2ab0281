import { describe, expect, it } from 'vitest';
import { Authorizations } from './authorizations.js';
import type { Answered } from './questions.js';

/** An application that answers when it is told to. */
function application() {
  const asked: { key: string; answer: (answered: Answered) => void }[] = [];
  let nowMs = 0;
  const authorizations = new Authorizations({
    questions: { ask: (key) => new Promise((answer) => asked.push({ key, answer })) },
    hook: { ask: async () => ({ is: 'silent' }) },
    now: () => nowMs,
  });
  const ask = (uid: string, topic: string) =>
    authorizations.ask({ uid, sid: 's' }, { whom: 'service', action: 'subscribe', topic });
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  return {
    authorizations,
    asked,
    ask,
    tick,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}
const allowed = (ttlMs?: number): Answered => ({ is: 'answer', body: { allow: true, ttlMs } });

describe('what the application says', () => {
  it('counts for as long as it says, for that user and topic alone', async () => {
    const { asked, ask, tick, pass } = application();
    const first = ask('alice', 'room.1');
    await tick();
    asked[0]?.answer(allowed(5_000));
    expect(await first).toEqual({ is: 'allow', untilMs: 5_000 });
    expect(await ask('alice', 'room.1')).toEqual({ is: 'allow', untilMs: 5_000 });
    void ask('bob', 'room.1');
    void ask('alice', 'room.2');
    pass(5_000);
    void ask('alice', 'room.1');
    await tick();
    expect(asked.map(({ key }) => key)).toEqual([
      '$authorize.subscribe.room.1',
      '$authorize.subscribe.room.1',
      '$authorize.subscribe.room.2',
      '$authorize.subscribe.room.1',
    ]);
  });

  it('is waited for once by all who ask the same, and nonsense is no answer', async () => {
    const { asked, ask, tick } = application();
    const both = [ask('alice', 'room.1'), ask('alice', 'room.1')];
    await tick();
    expect(asked).toHaveLength(1);
    asked[0]?.answer({ is: 'answer', body: { allow: 'yes' } });
    expect((await Promise.all(both)).map(({ is }) => is)).toEqual(['none', 'none']);
    void ask('alice', 'room.1');
    await tick();
    expect(asked).toHaveLength(2);
  });
});

describe('what is being asked while the rules change', () => {
  it('is asked anew, and the answer to the old question is not remembered', async () => {
    const { authorizations, asked, ask, tick } = application();
    const before = ask('alice', 'room.1');
    await tick();
    authorizations.forget();
    const after = ask('alice', 'room.1');
    await tick();
    expect(asked).toHaveLength(2);
    asked[0]?.answer(allowed());
    expect((await before).is).toBe('allow');
    expect(authorizations.size).toBe(0);
    const another = ask('alice', 'room.1');
    asked[1]?.answer({ is: 'answer', body: { allow: false } });
    expect((await Promise.all([after, another])).map(({ is }) => is)).toEqual(['refuse', 'refuse']);
    expect(asked).toHaveLength(2);
    expect(authorizations.size).toBe(1);
  });
});

describe('one user who asks ever more', () => {
  it('has 16 questions open, the rest wait, and others are not kept waiting', async () => {
    const { asked, ask, tick } = application();
    const all = Array.from({ length: 100 }, (_, i) => ask('eve', `room.${i}`));
    void ask('alice', 'room.0');
    await tick();
    expect(asked).toHaveLength(17);
    for (let i = 0; i < asked.length; i += 1) {
      asked[i]?.answer(allowed());
      await tick();
    }
    expect(asked).toHaveLength(101);
    expect((await Promise.all(all)).every(({ is }) => is === 'allow')).toBe(true);
  });

  it('is told to ask again beyond 512 that wait', async () => {
    const { ask, tick } = application();
    for (let i = 0; i < 528; i += 1) void ask('eve', `room.${i}`);
    await tick();
    expect(await ask('eve', 'one.too.many')).toEqual({ is: 'busy', untilMs: 1_000 });
  });
});
