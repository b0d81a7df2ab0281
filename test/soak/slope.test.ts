import { describe, expect, it } from 'vitest';
import { slopeOf } from './slope.js';

const minutes = Array.from({ length: 60 }, (_, n) => n * 60_000);
const noiseAt = (n: number) => 4 * Math.sin(n * 12.9898);

describe('what is sampled', () => {
  it('does not grow while it goes up and down', () => {
    const samples = minutes.map((atMs, n) => ({ atMs, value: 100 + noiseAt(n) }));
    expect(slopeOf(samples, 5).isGrowing).toBe(false);
  });

  it('grows when it leaks, noise or not', () => {
    const samples = minutes.map((atMs, n) => ({ atMs, value: 100 + n + noiseAt(n) }));
    const slope = slopeOf(samples, 5);
    expect(slope.isGrowing).toBe(true);
    expect(slope.growth).toBeGreaterThan(35);
  });

  it('may grow while it begins', () => {
    const samples = minutes.map((atMs, n) => ({ atMs, value: 100 + Math.min(n, 15) * 10 }));
    expect(slopeOf(samples, 5).isGrowing).toBe(false);
  });

  it('may grow by what is allowed, and no more', () => {
    const samples = minutes.map((atMs, n) => ({ atMs, value: 2 + n / 20 }));
    expect(slopeOf(samples, 3).isGrowing).toBe(false);
    expect(slopeOf(samples, 1).isGrowing).toBe(true);
  });

  it('needs samples', () => {
    expect(() => slopeOf([{ atMs: 0, value: 1 }], 1)).toThrow('at least 6');
  });
});
