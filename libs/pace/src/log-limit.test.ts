import { describe, expect, it } from 'vitest';
import { LogLimit } from './log-limit.js';

describe('LogLimit', () => {
  it('lets one through per interval and tells how many it held back', () => {
    const limit = new LogLimit(1000);
    expect(limit.pass(0)).toBe(0);
    expect(limit.pass(10)).toBeUndefined();
    expect(limit.pass(999)).toBeUndefined();
    expect(limit.pass(1000)).toBe(2);
  });
});
