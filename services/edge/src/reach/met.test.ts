import { describe, expect, it } from 'vitest';
import { explain, identityText, isSelf, type Met, mayPass, metBy } from './met.js';

const self = { name: 'edge-1', boot: 'b1' };
const met = (name: string, boot: string): Met => ({ kind: 'edge', name, boot });

describe('who closes a probe', () => {
  it('is known by the name and process that it says', () => {
    const longest = { name: 'n'.repeat(64), boot: 'abc_DEF-123' };
    expect(metBy(1000, identityText(longest))).toEqual({ kind: 'edge', ...longest });
    expect(isSelf(metBy(1000, identityText(self)), self)).toBe(true);
    expect(isSelf(met('edge-1', 'b2'), self)).toBe(false);
    expect(isSelf(met('edge-2', 'b1'), self)).toBe(false);
  });

  it.each([
    [1006, ''],
    [1000, ''],
    [1000, 'edge-1'],
    [1000, 'edge-1.b1.more'],
    [1000, 'edge 1.b1'],
    [4010, 'edge-1.b1'],
  ])('is a stranger with code %i and reason %j', (code, reason) => {
    expect(metBy(code, reason)).toEqual({ kind: 'stranger', code });
  });
});

describe('what an edge says of what it met', () => {
  it.each<[Met, RegExp, RegExp]>([
    [met('edge-2', 'b9'), /the edge edge-2/, /EVENKEEL_REACHABILITY_URL=off/],
    [met('edge-1', 'b9'), /another process of this name/, /EVENKEEL_NODE/],
    [{ kind: 'answer', status: 404 }, /404/, /no way for this URL.* Upgrade and Connection/],
    [{ kind: 'answer', status: 505 }, /505/, /HTTP\/1\.0.* Upgrade and Connection/],
    [{ kind: 'answer', status: 400 }, /400/, /wss:\/\//],
    [{ kind: 'answer', status: 301 }, /301/, /redirects.* EVENKEEL_PUBLIC_URL/],
    [{ kind: 'answer', status: 401 }, /401/, /EVENKEEL_SECRET/],
    [{ kind: 'answer', status: 502 }, /502/, /address and port/],
    [{ kind: 'stranger', code: 1006 }, /no edge of this mesh/, /EVENKEEL_PUBLIC_URL/],
    [{ kind: 'failure', code: 'ECONNREFUSED' }, /ECONNREFUSED/, /nothing listens there/],
    [{ kind: 'failure', code: 'SELF_SIGNED_CERT_IN_CHAIN' }, /SELF_SIGNED/, /NODE_EXTRA_CA_CERTS/],
    [{ kind: 'failure', code: 'EPROTO' }, /EPROTO/, /begins with ws:\/\//],
    [{ kind: 'failure', code: 'EHOSTUNREACH' }, /EHOSTUNREACH/, /EVENKEEL_REACHABILITY_URL/],
    [{ kind: 'silence', ms: 2_000 }, /nothing within 2000 ms/, /firewall/],
  ])('names what to do: %j', (what, seen, hint) => {
    const said = explain(what, self);
    expect(said.met).toMatch(seen);
    expect(said.hint).toMatch(hint);
  });

  it('is no error at first, but for another edge, which no waiting mends', () => {
    expect(mayPass(met('edge-2', 'b9'), self)).toBe(false);
    expect(mayPass(met('edge-1', 'b9'), self)).toBe(true);
    expect(mayPass({ kind: 'answer', status: 404 }, self)).toBe(true);
  });
});
