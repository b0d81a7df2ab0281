import { describe, expect, it } from 'vitest';
import { Returns } from './returning.js';

const returns = new Returns(['a secret of more than sixteen bytes'], () => 1_000);
const alice = { uid: 'alice', token: { grants: undefined, expiresAtMs: 9_000 } };
const said = { sid: 's1', from: ['edge-2', 'edge-3'], resume: undefined };
const nothing = { sid: undefined, from: [], lastAt: undefined, nodes: [] };

describe('a session that a client says is its own', () => {
  it('is a new one without the resume that it was given, with that of another session, and with another user’s', () => {
    expect(returns.believe(said, alice)).toEqual(nothing);
    for (const resume of [
      returns.issue('alice', 's2', 'edge-2', []),
      returns.issue('bob', 's1', 'edge-2', []),
      'x',
      '',
    ])
      expect(returns.believe({ ...said, resume }, alice)).toEqual(nothing);
  });

  it('is believed with it, and so is where it was, of the nodes that the resume names', () => {
    const resume = returns.issue('alice', 's1', 'edge-2', ['edge-1']);
    const nodes = ['edge-2', 'edge-1'];
    expect(returns.believe({ ...said, resume }, alice)).toEqual({
      sid: 's1',
      from: said.from,
      lastAt: 'edge-2',
      nodes,
    });
    const moved = { ...said, from: ['edge-3'], resume };
    expect(returns.believe(moved, alice)).toEqual({ sid: 's1', from: ['edge-3'], lastAt: undefined, nodes });
  });

  it('is believed as it is said in development mode', () => {
    const believed = { sid: 's1', from: said.from, lastAt: 'edge-2', nodes: [] };
    expect(returns.believe(said, { uid: 'alice' })).toEqual(believed);
  });

  it('is none where none is said: from does not count then', () => {
    expect(returns.believe({ ...said, sid: undefined }, { uid: 'alice' })).toEqual(nothing);
  });
});
