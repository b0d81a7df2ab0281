import { Origins } from '@evenkeel/runtime';
import { type TicketClaims, TicketSigner } from '@evenkeel/ticket';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ClaimAnswer, type Foreign, Gate } from './gate.js';

const tickets = new TicketSigner(['gate-test-secret-0123456789']);
const nowMs = 1_000;
const url = 'wss://mesh/ws';
const address = () => '203.0.113.7';
let node: { name: string; boot: string; url: string; isDraining: boolean; isLowOnMemory: boolean };
let gate: Gate;
let cameBack: (claims: TicketClaims) => string | undefined;
let held: string[];

beforeEach(() => {
  node = { name: 'edge-1', boot: 'now', url, isDraining: false, isLowOnMemory: false };
  cameBack = () => undefined;
  held = [];
  const room = { capacity: 2 };
  gate = new Gate({
    tickets,
    node,
    room,
    origins,
    maxUsedTickets: 5,
    cameBack: (claims) => cameBack(claims),
    isHere: ({ sid }) => held.includes(sid),
  });
});

const origins = new Origins(['https://app.example']);

const issue = (over: object = {}) =>
  tickets.issue({ uid: 'alice', sid: 's', node: 'edge-1', epoch: 1, expiresAt: nowMs + 100, ...over });
const judge = (ticket: string, open = 0, protocols = 'evenkeel.v1') =>
  gate.judge({ ticket, protocols, address }, open, nowMs);

describe('the gate', () => {
  it('refuses a page of an origin that is not listed, whose ticket stays good; programs, which send none, go on', () => {
    const ticket = issue();
    const shown = { ticket, protocols: 'evenkeel.v1', address };
    for (const origin of ['https://evil.example', 'null', 'https://app.example.evil.example'])
      expect(gate.judge({ ...shown, origin }, 0, nowMs)).toMatchObject({
        why: 'origin',
        code: 'origin-refused',
      });
    expect(gate.judge({ ...shown, origin: 'https://app.example' }, 0, nowMs)).toMatchObject({
      isAdmitted: true,
    });
    expect(gate.judge({ ticket: issue(), protocols: '', origin: '', address }, 0, nowMs)).toMatchObject({
      isAdmitted: true,
    });
  });

  it('turns away whom an operator denies, by a close code, with a ticket of its own or of another edge', () => {
    const isDenied = new Set<string>();
    gate = new Gate({
      tickets,
      node,
      origins,
      room: { capacity: 2 },
      denies: ({ uid }) => isDenied.has(uid),
    });
    const foreign = judge(issue({ node: 'edge-2', boot: 'theirs' }));
    isDenied.add('alice');
    const denied = { isAdmitted: false, why: 'dismissed', close: { code: 4503, reason: 'denied' } };
    expect(judge(issue())).toMatchObject(denied);
    expect(judge(issue({ node: 'edge-2', boot: 'theirs' }))).toMatchObject(denied);
    // Since the other edge was asked about it.
    expect(gate.settle(foreign as Foreign, { outcome: 'taken', url }, 0, nowMs)).toMatchObject(denied);
    expect(judge(issue({ uid: 'bob' }))).toMatchObject({ isAdmitted: true });
  });

  it('admits a ticket for this node, with what it says', () => {
    expect(judge(issue())).toMatchObject({
      isAdmitted: true,
      isBare: false,
      claims: { uid: 'alice', sid: 's' },
    });
  });

  it('answers 429 where the user has as many sockets here as one may have, and keeps the ticket good', () => {
    const full = new Set(['alice']);
    const users = { hasRoom: (uid: string) => !full.has(uid) };
    gate = new Gate({ tickets, node, room: { capacity: 9 }, origins: { takes: () => true }, users });
    const ticket = issue();
    expect(judge(ticket)).toMatchObject({
      why: 'user',
      status: '429 Too Many Requests',
      code: 'too-many-sockets',
    });
    expect(judge(issue({ uid: 'bob' }))).toMatchObject({ isAdmitted: true });
    full.clear();
    expect(judge(ticket)).toMatchObject({ isAdmitted: true });
  });

  describe('of an address, or a user, that asks too often', () => {
    /** Who may ask no more, and what was asked of whom. */
    let over: Set<string>;
    let asked: string[];
    const limitOf = (what: string) => (whose: string) => {
      asked.push(`${what} ${whose}`);
      return over.has(`${what} ${whose}`) ? 7 : undefined;
    };
    const limited = (by: string) => ({
      isAdmitted: false,
      why: `${by}-rate`,
      status: '429 Too Many Requests',
      code: 'rate-limited',
      retryAfterS: 7,
    });

    beforeEach(() => {
      over = new Set();
      asked = [];
      const handshakes = { address: limitOf('good'), user: limitOf('user'), refused: limitOf('bad') };
      gate = new Gate({ tickets, node, room: { capacity: 9 }, origins, handshakes });
    });

    it.each(['user alice', 'good 203.0.113.7'])(
      '%s: a good ticket is answered 429, and stays good',
      (who) => {
        const ticket = issue();
        over.add(who);
        expect(judge(ticket)).toMatchObject(limited(who.startsWith('user') ? 'user' : 'address'));
        over.clear();
        expect(judge(ticket)).toMatchObject({ isAdmitted: true });
        expect(asked.filter((each) => each.startsWith('bad'))).toEqual([]);
      },
    );

    it('what is wrong with a ticket, or a page, is told no more', () => {
      expect(judge('noise')).toMatchObject({ code: 'ticket-malformed' });
      over.add('bad 203.0.113.7');
      expect(judge('noise')).toMatchObject(limited('address'));
      const shown = { ticket: issue(), protocols: '', origin: 'https://evil.example', address };
      expect(gate.judge(shown, 0, nowMs)).toMatchObject(limited('address'));
      // A good one gets in all the while.
      expect(judge(issue())).toMatchObject({ isAdmitted: true });
      expect(asked).toEqual([
        'bad 203.0.113.7',
        'bad 203.0.113.7',
        'bad 203.0.113.7',
        'user alice',
        'good 203.0.113.7',
      ]);
    });

    it('a ticket that is shown again costs its user nothing, who may have lost it, but the address', () => {
      const ticket = issue();
      judge(ticket);
      asked = [];
      expect(judge(ticket)).toMatchObject({ code: 'ticket-used' });
      expect(asked).toEqual(['bad 203.0.113.7']);
    });

    it('a planned move is held up by nothing where it leads; where it does not, it counts for its user', () => {
      over = new Set(['user alice', 'good 203.0.113.7']);
      expect(judge(issue({ move: 'm.1' }))).toMatchObject({ isAdmitted: true });
      expect(asked).toEqual([]);
      expect(judge(issue({ move: 'm.1', node: 'edge-2', boot: 'theirs' }))).toMatchObject(limited('user'));
    });

    it('a ticket of another edge counts before that is asked, and as a bad one where it was used', () => {
      const theirs = () => judge(issue({ node: 'edge-2', boot: 'theirs' }));
      const foreign = theirs() as Foreign;
      expect(foreign).toMatchObject({ why: 'foreign' });
      expect(asked).toEqual(['user alice', 'good 203.0.113.7']);
      const settled = () => gate.settle(foreign, { outcome: 'used', url }, 0, nowMs);
      expect(settled()).toMatchObject({ code: 'ticket-used' });
      over.add('bad 203.0.113.7');
      expect(settled()).toMatchObject(limited('address'));
      over.add('user alice');
      expect(theirs()).toMatchObject(limited('user'));
    });
  });

  it('takes a socket that follows another of its session, however many the user has', () => {
    const users = { hasRoom: () => false };
    const isHere = ({ sid }: { sid: string }) => sid === 'here';
    gate = new Gate({ tickets, node, room: { capacity: 9 }, origins: { takes: () => true }, users, isHere });
    expect(judge(issue())).toMatchObject({ code: 'too-many-sockets' });
    expect(judge(issue({ sid: 'here' }))).toMatchObject({ isAdmitted: true });
    expect(judge(issue({ move: 'm.1' }))).toMatchObject({ isAdmitted: true });
  });

  it.each([
    ['evenkeel.v1', false],
    ['chat , evenkeel.v1', false],
    ['', true],
    ['evenkeel.v12', true],
  ])('takes a client that offers %j for a bare one: %s', (protocols, isBare) => {
    expect(judge(issue(), 0, protocols)).toMatchObject({ isBare });
  });

  it.each([
    ['ticket-malformed', () => 'noise'],
    ['ticket-expired', () => issue({ expiresAt: nowMs })],
    ['ticket-stale', () => issue({ boot: 'before' })],
    ['ticket-forged', () => `edge-2.${issue({ boot: 'now' }).split('.').slice(1).join('.')}`],
    ['ticket-expired', () => issue({ node: 'edge-2', expiresAt: nowMs - 10_000 })],
  ])('refuses with %s', (code, ticket) => {
    expect(judge(ticket())).toMatchObject({
      isAdmitted: false,
      why: 'ticket',
      status: '401 Unauthorized',
      code,
    });
  });

  it('leaves it to the edge that a ticket names whether it has just expired there: its clock may be another', () => {
    expect(judge(issue({ node: 'edge-2', boot: 'theirs', expiresAt: nowMs - 9_000 }))).toMatchObject({
      why: 'foreign',
    });
  });

  it('tells an edge that looks where its URL leads who this is, full and draining too, and uses nothing up', () => {
    const probe = issue({ node: 'edge-2', boot: 'theirs', isProbe: true });
    node.isDraining = true;
    for (let n = 0; n < 6; n += 1)
      expect(judge(probe, 2, '')).toMatchObject({
        why: 'dismissed',
        close: { code: 1000, reason: 'edge-1.now' },
      });
    node.isDraining = false;
    expect(judge(issue())).toMatchObject({ isAdmitted: true });
  });

  it('refuses a ticket that was used, whatever became of its connection', () => {
    const ticket = issue();
    judge(ticket);
    expect(judge(ticket)).toMatchObject({ isAdmitted: false, code: 'ticket-used' });
  });

  it('admits nobody whose ticket it could not remember', () => {
    for (let n = 0; n < 5; n += 1) expect(judge(issue())).toMatchObject({ isAdmitted: true });
    expect(judge(issue())).toMatchObject({ isAdmitted: false, why: 'tickets', code: 'unavailable' });
  });

  it.each(['full', 'draining', 'memory'])('sends elsewhere while it is %s, and uses no ticket up', (why) => {
    const ticket = issue();
    node.isDraining = why === 'draining';
    node.isLowOnMemory = why === 'memory';
    const refused = {
      isAdmitted: false,
      why,
      status: '503 Service Unavailable',
      code: 'unavailable',
    };
    expect(judge(ticket, why === 'full' ? 2 : 0)).toMatchObject(refused);
    node.isDraining = false;
    node.isLowOnMemory = false;
    expect(judge(ticket, 1)).toMatchObject({ isAdmitted: true });
  });

  it('takes nobody while its memory is low, not even who is moved here, but for sessions that it has already', () => {
    node.isLowOnMemory = true;
    held = ['mine'];
    expect(judge(issue({ move: 'm1', from: 'edge-2' }))).toMatchObject({ why: 'memory' });
    expect(judge(issue({ sid: 'mine' }))).toMatchObject({ isAdmitted: true });
  });
});

describe('the gate, shown a ticket that names another edge,', () => {
  const foreign = (over: object = {}) => issue({ node: 'edge-2', boot: 'theirs', ...over });
  const asked = (over: object = {}): Foreign => {
    const verdict = judge(foreign(over));
    if (verdict.isAdmitted || verdict.why !== 'foreign')
      throw new Error(`not asked: ${JSON.stringify(verdict)}`);
    return verdict;
  };
  const settle = (outcome: ClaimAnswer['outcome'], open = 0, theirs = 'wss://edge-2/ws') =>
    gate.settle(asked(), { outcome, url: theirs }, open, nowMs);
  const wrongEdge = (reason: string) => ({
    isAdmitted: false,
    why: 'dismissed',
    close: { code: 4010, reason },
  });

  it('lets that edge decide, and shows it the whole ticket', () => {
    const ticket = foreign();
    expect(judge(ticket)).toMatchObject({ why: 'foreign', ticket, claims: { node: 'edge-2' } });
  });

  it('admits its client when that edge has used it up', () => {
    expect(settle('taken')).toMatchObject({ isAdmitted: true, isBare: false, claims: { uid: 'alice' } });
  });

  it.each([
    ['used', '401 Unauthorized', 'ticket-used'],
    ['stale', '401 Unauthorized', 'ticket-stale'],
    ['expired', '401 Unauthorized', 'ticket-expired'],
    ['full', '503 Service Unavailable', 'unavailable'],
    ['unavailable', '503 Service Unavailable', 'unavailable'],
  ] as const)('answers %s as that edge would: %s', (outcome, status, code) => {
    expect(settle(outcome)).toMatchObject({ isAdmitted: false, status, code });
  });

  it('names the URL where the ticket is still good, as long as a close frame holds it', () => {
    expect(settle('elsewhere')).toMatchObject(wrongEdge('wss://edge-2/ws'));
    const longest = `wss://${'é'.repeat(57)}/ws`;
    expect(settle('elsewhere', 0, longest)).toMatchObject(wrongEdge(longest));
    expect(settle('elsewhere', 0, `${longest}s`)).toMatchObject(wrongEdge('wrong-edge'));
  });

  it('says wrong-edge when that edge is silent, and for the form of tickets that names no process', () => {
    expect(settle('silent', 0, '')).toMatchObject(wrongEdge('wrong-edge'));
    expect(judge(issue({ node: 'edge-2' }))).toMatchObject(wrongEdge('wrong-edge'));
  });

  it.each(['full', 'draining', 'memory'])(
    'asks nobody while it is %s, nor admits whom it asked for',
    (why) => {
      const before = asked();
      node.isDraining = why === 'draining';
      node.isLowOnMemory = why === 'memory';
      const open = why === 'full' ? 2 : 0;
      expect(judge(foreign(), open)).toMatchObject({ why });
      expect(gate.settle(before, { outcome: 'taken', url }, open, nowMs)).toMatchObject({ why });
    },
  );

  it('sends a client on that it has itself told to move and that is back; while it drains, for the front to try another edge', () => {
    const back: (string | undefined)[] = [];
    cameBack = ({ move }) => {
      back.push(move);
      return move === 'm1' ? 'wss://edge-2/ws' : undefined;
    };
    const moving = { move: 'm1', from: 'edge-1' };
    expect(judge(foreign(moving))).toMatchObject(wrongEdge('wss://edge-2/ws'));
    node.isDraining = true;
    expect(judge(foreign(moving))).toMatchObject({ why: 'draining' });
    expect(back).toEqual(['m1', 'm1']);
    expect(judge(foreign({ ...moving, from: 'edge-3' }))).toMatchObject({ why: 'draining' });
    node.isDraining = false;
    expect(judge(foreign({ ...moving, move: 'm2' }))).toMatchObject({ why: 'foreign' });
  });
});

describe('the gate, asked by another edge,', () => {
  it('uses its ticket up for the whole mesh: once, wherever it is shown', () => {
    const [here, there] = [issue(), issue()];
    expect(gate.claim(there, url, nowMs)).toBe('taken');
    expect(gate.claim(there, url, nowMs)).toBe('used');
    expect(judge(there)).toMatchObject({ code: 'ticket-used' });
    judge(here);
    expect(gate.claim(here, url, nowMs)).toBe('used');
  });

  it('keeps a ticket good for itself while clients dial the other edge at another URL', () => {
    const ticket = issue();
    expect(gate.claim(ticket, 'wss://edge-2/ws', nowMs)).toBe('elsewhere');
    expect(judge(ticket)).toMatchObject({ isAdmitted: true });
    expect(gate.claim(ticket, 'wss://edge-2/ws', nowMs)).toBe('used');
  });

  it('answers though it is draining, and says so when it can remember no more', () => {
    node.isDraining = true;
    for (let n = 0; n < 5; n += 1) expect(gate.claim(issue(), url, nowMs)).toBe('taken');
    expect(gate.claim(issue(), url, nowMs)).toBe('full');
  });

  it('tells expired and stale tickets apart, and says nothing to what is no ticket of its own', () => {
    expect(gate.claim(issue({ expiresAt: nowMs }), url, nowMs)).toBe('expired');
    expect(gate.claim(issue({ boot: 'before' }), url, nowMs)).toBe('stale');
    expect(gate.claim(issue({ node: 'edge-2' }), url, nowMs)).toBeUndefined();
    expect(gate.claim('noise', url, nowMs)).toBeUndefined();
  });
});
