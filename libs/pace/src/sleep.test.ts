import { describe, expect, it } from 'vitest';
import { sleep, withDeadline } from './sleep.js';

const never = new Promise<never>(() => {});

describe('sleep', () => {
  it('rejects with the reason when aborted, before and during', async () => {
    const aborting = new AbortController();
    const sleeping = sleep(60_000, aborting.signal);
    aborting.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(sleep(60_000, aborting.signal)).rejects.toThrow('enough');
  });
});

describe('withDeadline', () => {
  it('settles as the work does when that is in time', async () => {
    await expect(withDeadline(Promise.resolve(1), 60_000, () => 'late')).resolves.toBe(1);
    await expect(withDeadline(Promise.reject(new Error('no')), 60_000, () => 'late')).rejects.toThrow('no');
  });

  it('returns or throws what the deadline says when the work is late', async () => {
    await expect(withDeadline(never, 1, () => 'late')).resolves.toBe('late');
    const failing = withDeadline(never, 1, () => {
      throw new Error('too late');
    });
    await expect(failing).rejects.toThrow('too late');
  });

  it('drops what late work rejects with', async () => {
    let fail: (error: Error) => void = () => {};
    const work = new Promise<never>((_, reject) => {
      fail = reject;
    });
    expect(await withDeadline(work, 1, () => 'late')).toBe('late');
    // An unhandled rejection would fail this test.
    fail(new Error('nobody listens'));
    await new Promise(setImmediate);
  });
});
