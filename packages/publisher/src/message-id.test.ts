import { v7 as newMessageId } from 'uuid';
import { expect, it, vi } from 'vitest';

it('the ids of a publisher are sortable by time, also within one millisecond and when the clock steps back', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  try {
    const made = Array.from({ length: 5_000 }, (_, i) => {
      if (i % 1_000 === 999) vi.setSystemTime(Date.now() + (i % 2_000 === 999 ? 50 : -40));
      return newMessageId();
    });
    expect(made).toEqual([...made].sort());
    expect(new Set(made).size).toBe(made.length);
    expect(made[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  } finally {
    vi.useRealTimers();
  }
});
