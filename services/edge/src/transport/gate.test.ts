import { TicketSigner } from '@evenkeel/ticket';
import { beforeEach, describe, expect, it } from 'vitest';
import { Gate } from './gate.js';

const tickets = new TicketSigner(['gate-test-secret-0123456789']);
const nowMs = 1_000;
let node: { name: string; boot: string; isDraining: boolean };
let gate: Gate;

beforeEach(() => {
  node = { name: 'edge-1', boot: 'now', isDraining: false };
  gate = new Gate({ tickets, node, capacity: 2, maxUsedTickets: 5 });
});

const issue = (over: object = {}) =>
  tickets.issue({ uid: 'alice', sid: 's', node: 'edge-1', epoch: 1, expiresAt: nowMs + 100, ...over });
const judge = (ticket: string, open = 0, protocols = 'evenkeel.v1') =>
  gate.judge({ ticket, protocols }, open, nowMs);

describe('the gate', () => {
  it('admits a ticket for this node, with what it says', () => {
    expect(judge(issue())).toMatchObject({
      isAdmitted: true,
      isBare: false,
      claims: { uid: 'alice', sid: 's' },
    });
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
    ['ticket-wrong-node', () => issue({ node: 'edge-2' })],
  ])('refuses with %s', (code, ticket) => {
    expect(judge(ticket())).toMatchObject({
      isAdmitted: false,
      why: 'ticket',
      status: '401 Unauthorized',
      code,
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
    expect(judge(issue())).toMatchObject({ isAdmitted: false, why: 'full', code: 'unavailable' });
  });

  it.each(['full', 'draining'])('sends elsewhere while it is %s, and uses no ticket up', (why) => {
    const ticket = issue();
    node.isDraining = why === 'draining';
    const refused = {
      isAdmitted: false,
      why: 'full',
      status: '503 Service Unavailable',
      code: 'unavailable',
    };
    expect(judge(ticket, why === 'full' ? 2 : 0)).toMatchObject(refused);
    node.isDraining = false;
    expect(judge(ticket, 1)).toMatchObject({ isAdmitted: true });
  });
});
