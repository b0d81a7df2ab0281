import { toUid } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { Passes } from './pass.js';
import { maxResumeAgeMs, maxResumeChars, Resumes } from './resume.js';

const secrets = ['a secret of more than sixteen bytes'];
const resumes = new Resumes(secrets);

describe('a resume', () => {
  const text = resumes.issue({ uid: 'alice', sid: 's1', nodes: ['edge-2', 'edge-1', 'edge-2'] }, 1_000);

  it('proves whose session it is, and where that was', () => {
    expect(resumes.check(text, 'alice', 2_000)).toEqual({
      uid: 'alice',
      sid: 's1',
      nodes: ['edge-2', 'edge-1'],
    });
  });

  it('proves nothing to another user, after 30 days, or signed by another', () => {
    expect(resumes.check(text, 'bob', 2_000)).toBeUndefined();
    expect(resumes.check(text, 'alice', 1_000 + maxResumeAgeMs)).toBeUndefined();
    expect(new Resumes(['another secret of enough bytes']).check(text, 'alice', 2_000)).toBeUndefined();
    expect(resumes.check(`${text}=`, 'alice', 2_000)).toBeUndefined();
    const { pass } = new Passes(secrets).issue({ uid: 'alice', exp: 9, rev: 9 });
    expect(resumes.check(pass, 'alice', 2_000)).toBeUndefined();
  });

  it('stays short enough for an address, with the longest names and the most nodes that one may have', () => {
    const nodes = Array.from({ length: 9 }, (_, i) => `${i}${'n'.repeat(63)}`);
    const uid = toUid('@'.repeat(96));
    const long = resumes.issue({ uid, sid: 's'.repeat(64), nodes }, 1_000);
    expect(long.length).toBeLessThanOrEqual(maxResumeChars);
    expect(resumes.check(long, uid, 2_000)?.nodes).toEqual(nodes.slice(0, 8));
  });
});
