import { describe, expect, it } from 'vitest';
import { Hearing, lastViewMs, silence } from './hearing.js';

describe('time by which silence is judged', () => {
  it('passes while somebody is heard, stands still while nobody is, and goes on from where it stood', () => {
    const hearing = new Hearing();
    expect([hearing.clockMs(5), hearing.silentMs(5)]).toEqual([5, undefined]);
    hearing.heard(1_000);
    expect([hearing.clockMs(2_500), hearing.silentMs(2_500)]).toEqual([2_500, undefined]);
    expect([hearing.clockMs(2_501), hearing.silentMs(2_501)]).toEqual([1_000, 1_501]);
    expect(hearing.clockMs(41_000)).toBe(1_000);
    hearing.heard(41_000);
    expect([hearing.clockMs(41_500), hearing.silentMs(41_500)]).toEqual([1_500, undefined]);
  });

  it('stands still for as long as it is told, with what that means for `/readyz`', () => {
    const hearing = new Hearing(600_000);
    hearing.heard(0);
    expect([hearing.clockMs(600_000), hearing.clockMs(601_000)]).toEqual([0, 1_000]);
    expect(silence(hearing.silentMs(1_000), 600_000)).toBeUndefined();
    expect(silence(hearing.silentMs(90_000), 600_000)).toBe(
      'no node is heard for 90 s; the last view stands for 600 s',
    );
    expect(silence(hearing.silentMs(600_000), 600_000)).toBe('no node is heard for 600 s');
  });

  it('stands still for a minute at most', () => {
    const hearing = new Hearing();
    hearing.heard(0);
    expect(hearing.clockMs(lastViewMs)).toBe(0);
    expect(hearing.clockMs(lastViewMs + 4_000)).toBe(4_000);
    hearing.heard(lastViewMs + 4_000);
    expect(hearing.clockMs(lastViewMs + 4_000)).toBe(4_000);
  });
});
