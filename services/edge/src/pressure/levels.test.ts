import { describe, expect, it } from 'vitest';
import { type Level, Pressure } from './levels.js';

/** A process that is looked at once a second. */
class Looks {
  readonly pressure = new Pressure();
  collected = 0;
  level: Level = 'calm';
  #nowMs = 1_000;

  /** So many looks that find this part in use. @param afterwards what is left of it once garbage has been collected. */
  at(part: number, seconds: number, afterwards = part): Level {
    let left = part;
    for (let s = 0; s < seconds; s++) {
      const { level, collects } = this.pressure.look(left, this.#nowMs);
      this.level = level;
      if (collects) {
        this.collected += 1;
        left = afterwards;
      }
      this.#nowMs += 1_000;
    }
    return this.level;
  }
}

describe('memory', () => {
  it('is low when the first mark is passed for some seconds, also after garbage was collected', () => {
    const looks = new Looks();
    expect(looks.at(0.849, 60)).toBe('calm');
    expect(looks.at(0.85, 4)).toBe('calm');
    expect(looks.collected).toBe(1);
    expect(looks.at(0.85, 1)).toBe('low');
    expect(looks.collected).toBe(1);
  });

  it('is not low where what was used is garbage, or was used for a moment', () => {
    const looks = new Looks();
    expect(looks.at(0.94, 20, 0.5)).toBe('calm');
    expect(looks.collected).toBe(1);
    for (let n = 0; n < 10; n++) {
      expect(looks.at(0.9, 3)).toBe('calm');
      expect(looks.at(0.8, 1)).toBe('calm');
    }
  });

  it('is low within two seconds where the second mark is passed at once, and short soon after', () => {
    const looks = new Looks();
    expect(looks.at(0.97, 2)).toBe('calm');
    expect(looks.at(0.97, 1)).toBe('low');
    expect(looks.at(0.97, 2)).toBe('short');
    expect(looks.collected).toBe(1);
  });

  it('is short from the second mark on, and no more below a lower one', () => {
    const looks = new Looks();
    expect(looks.at(0.9, 30)).toBe('low');
    expect(looks.at(0.96, 3)).toBe('short');
    expect(looks.at(0.91, 30)).toBe('short');
    expect(looks.at(0.89, 1)).toBe('low');
  });

  it('is enough again once it has been below the lowest mark for ten seconds at a stretch', () => {
    const looks = new Looks();
    looks.at(0.9, 10);
    expect(looks.at(0.8, 120)).toBe('low');
    expect(looks.at(0.7, 10)).toBe('low');
    expect(looks.at(0.76, 1)).toBe('low');
    expect(looks.at(0.7, 10)).toBe('low');
    expect(looks.at(0.7, 1)).toBe('calm');
    expect(looks.at(0.84, 60)).toBe('calm');
  });

  it('is collected every half minute while it is low, since an idle process collects nothing by itself', () => {
    const looks = new Looks();
    looks.at(0.9, 5);
    const { collected } = looks;
    expect(looks.at(0.8, 60, 0.5)).toBe('calm');
    expect(looks.collected).toBe(collected + 1);
  });
});
