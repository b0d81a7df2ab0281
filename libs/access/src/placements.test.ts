import { toUid } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { maxPlacementAgeMs, Placements } from './placements.js';
import { Resumes } from './resume.js';

const secret = 'a-secret-of-the-test';
const placements = new Placements([secret]);
const own = { uid: 'alice', sid: 's-1', topic: 'room.42' };
const proof = placements.issue(own, 1_000);

describe('what proves that a service has put a session into a topic', () => {
  it('is good for its session and its topic alone', () => {
    expect(placements.check(proof, own, 2_000)).toBe(true);
    for (const other of [{ uid: 'bob' }, { sid: 's-2' }, { topic: 'room.43' }, { topic: 'room.#' }]) {
      expect(placements.check(proof, { ...own, ...other }, 2_000)).toBe(false);
    }
  });

  it('ends', () => {
    expect(placements.check(proof, own, 999 + maxPlacementAgeMs)).toBe(true);
    expect(placements.check(proof, own, 1_000 + maxPlacementAgeMs)).toBe(false);
  });

  it('is signed, for this purpose, and by an older secret too', () => {
    expect(placements.check(`${proof.slice(0, -2)}AA`, own, 2_000)).toBe(false);
    expect(new Placements(['another-secret-here']).check(proof, own, 2_000)).toBe(false);
    expect(new Placements(['another-secret-here', secret]).check(proof, own, 2_000)).toBe(true);
    const resume = new Resumes([secret]).issue({ uid: 'alice', sid: 's-1', nodes: [] }, 1_000);
    expect(placements.check(resume, own, 2_000)).toBe(false);
  });

  it('of the longest names is written', () => {
    const long = { uid: toUid('@'.repeat(96)), sid: 's'.repeat(64), topic: 't'.repeat(200) };
    expect(placements.check(placements.issue(long, 0), long, 1)).toBe(true);
  });
});
