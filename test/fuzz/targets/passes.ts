import {
  actions,
  type Grants,
  GrantsError,
  maxPassChars,
  maxPatterns,
  NamespacesError,
  Passes,
  Placements,
  passHash,
  Resumes,
  readGrants,
  readNamespaces,
} from '@evenkeel/access';
import { isNodeName, isSid, isTopicPattern } from '@evenkeel/protocol';
import { isSame, jsonOf } from '../same.js';
import { holds, type Target } from '../target.js';
import { keyFor, secret, signedBody, splitKind } from './signed.js';

const passes = new Passes([secret]);
const resumes = new Resumes([secret]);
const placements = new Placements([secret]);
const nowMs = 1_800_000_000_000;

/** `pass:`, `resume:`, `placement:` JSON, signed here; `grants:`, `namespaces:` JSON; anything else is shown as it is. */
export const passesTarget: Target = {
  name: 'passes',
  about: 'passes, what proves a session or a placement, grants and namespaces',
  maxBytes: 16_384,
  words: [
    ...[
      'pass:',
      'resume:',
      'placement:',
      'grants:',
      'namespaces:',
      'uid',
      'sid',
      'nodes',
      'at',
      'topic',
      'kid',
    ],
    ...[
      'grants',
      'exp',
      'rev',
      'subscribe',
      'publish',
      'request',
      'info',
      'namespaces',
      'hook',
      'url',
      'secret',
    ],
    ...[
      'history',
      'size',
      'seconds',
      'latest',
      'key',
      'presence',
      'relay',
      'claim',
      'owner',
      'anyone',
      'service',
    ],
    ...['alice', 's1', 'prices.demo', 'room.*', '#', '*', String(nowMs), 'https://a.example/b', '$schema'],
  ],
  run(input) {
    const { kind = '', rest = input.toString('utf8') } = splitKind(input) ?? {};
    if (kind === 'pass') return readPass(sealed(rest, 'evenkeel pass'));
    if (kind === 'resume') return readResume(sealed(rest, 'evenkeel resume'));
    if (kind === 'placement') return readPlacement(sealed(rest, 'evenkeel placement'), rest);
    if (kind === 'grants') return readClaim(rest);
    if (kind === 'namespaces') return readRules(rest);
    const isNobody =
      passes.check(rest, 'alice') === undefined && resumes.check(rest, 'alice', nowMs) === undefined;
    holds(isNobody, 'what is not signed says nothing', rest);
  },
};

function sealed(json: string, purpose: string): string {
  const body = Buffer.from(json).toString('base64url');
  return `${body}.${signedBody(body, keyFor(purpose))}`;
}

function readPass(text: string): void {
  const checked = passes.check(text, 'alice');
  const held = { hash: passHash(text), exp: nowMs, rev: 1 };
  const underTicket = passes.authority('alice', text, held);
  holds(
    underTicket.hold === held || (underTicket.hold?.rev ?? 0) > held.rev,
    'the newer pass counts',
    underTicket,
  );
  holds(passes.check(text, 'bob') === undefined || checked === undefined, 'a pass is one user’s', text);
  if (checked === undefined) return;
  holds(text.length <= maxPassChars, 'no pass is longer than one may be');
  const { hold, grants } = checked;
  holds(
    hold !== undefined && Number.isSafeInteger(hold.exp) && Number.isSafeInteger(hold.rev),
    'it has its times',
    hold,
  );
  checkGrants(grants);
  const { pass } = passes.issue({ uid: 'alice', grants, exp: hold.exp, rev: hold.rev });
  const again = passes.check(pass, 'alice');
  holds(isSame(again?.grants, grants), 'what was read can be issued, and says the same', { again, grants });
}

function checkGrants(grants: Grants | undefined): void {
  if (grants === undefined) return;
  const all = actions.flatMap((action) => grants[action] ?? []);
  holds(
    all.length <= maxPatterns && all.every(isTopicPattern),
    'grants are patterns, and not too many',
    grants,
  );
  const known: readonly string[] = [...actions, 'info'];
  holds(
    Object.keys(grants).every((name) => known.includes(name)),
    'nothing else is granted',
    grants,
  );
}

function readResume(text: string): void {
  const claims = resumes.check(text, 'alice', nowMs);
  if (claims === undefined) return;
  const { uid, sid, nodes } = claims;
  holds(uid === 'alice' && isSid(sid) && nodes.every(isNodeName), 'names are names', claims);
  const again = resumes.check(resumes.issue(claims, nowMs), 'alice', nowMs);
  const newest = [...new Set(nodes)].slice(0, 8);
  holds(isSame(again, { uid, sid, nodes: newest }), 'what was read can be issued, and says the same', claims);
}

function readPlacement(text: string, json: string): void {
  const { uid, sid, topic } = (jsonOf(json)?.value ?? {}) as Record<string, unknown>;
  const named = { uid: String(shown(uid)), sid: String(shown(sid)), topic: String(shown(topic)) };
  if (!placements.check(text, named, nowMs)) return;
  const isNamed = isSame({ uid, sid, topic }, named) && isTopicPattern(named.topic);
  holds(isNamed, 'it places the session that it names', json);
  const again = placements.issue(named, nowMs);
  holds(placements.check(again, named, nowMs), 'what was read can be issued, and says the same', named);
}

const shown = (value: unknown): unknown => (typeof value === 'object' ? '' : value);

function readClaim(json: string): void {
  const claim = jsonOf(json);
  if (claim === undefined) return;
  const grants = unless(GrantsError, () => readGrants(claim.value));
  checkGrants(grants);
  if (grants !== undefined) holds(isSame(readGrants(grants), grants), 'grants say the same again', json);
}

function readRules(json: string): void {
  const namespaces = unless(NamespacesError, () => readNamespaces(json));
  if (namespaces === undefined) return;
  for (const name of ['prices.demo', '__proto__', 'constructor.x', '*', '']) {
    for (const action of actions) {
      const rule = namespaces.ruleOf(action, name, 'nobody');
      const all: readonly string[] = namespaces.rulesOf(action, name, 'nobody');
      holds(typeof rule === 'string' && all.length > 0, 'every topic has a rule', { name, rule });
    }
    holds(typeof namespaces.isRelay(name) === 'boolean', 'relay is yes or no', name);
    const { size = 1, seconds = 1 } = namespaces.historyOf(name) ?? {};
    holds(size >= 1 && seconds >= 1, 'a history keeps something', name);
  }
}

/** What it returns; undefined: it has thrown what it may throw, with a message that is bounded. */
function unless<T>(error: typeof GrantsError | typeof NamespacesError, work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof error)) throw thrown;
    return undefined;
  }
}
