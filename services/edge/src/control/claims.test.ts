import type { EdgeCommand } from '@evenkeel/protocol';
import { TicketSigner } from '@evenkeel/ticket';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Foreign, Gate } from '../transport/gate.js';
import { Claims } from './claims.js';

const url = 'wss://mesh/ws';
const tickets = new TicketSigner(['claims-test-secret-0123456789']);
const log = { warn: () => {} };

interface Edge {
  name: string;
  claims: Claims;
  /** What it says of a ticket, before anybody is asked. */
  shown(ticket: string): Foreign;
}
/** Edges by name; what is sent to others is not routed. */
let edges: Map<string, Edge>;
let sent: { to: string; command: EdgeCommand }[];
let isBrokerAway: boolean;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  edges = new Map();
  sent = [];
  isBrokerAway = false;
});
afterEach(() => {
  vi.useRealTimers();
});

async function send(to: string, command: EdgeCommand): Promise<'routed' | 'unrouted'> {
  sent.push({ to, command });
  if (isBrokerAway) throw new Error('away');
  const edge = edges.get(to);
  if (!edge) return 'unrouted';
  if (command.command === 'claim') edge.claims.onClaim(command);
  if (command.command === 'claimed') edge.claims.onClaimed(command);
  return 'routed';
}

function edge(name: string, options: { url?: string; maxQuestions?: number } = {}): Edge {
  const node = { name, boot: `boot-${name}`, url, isDraining: false, isLowOnMemory: false, ...options };
  const gate = new Gate({ tickets, node, room: { capacity: 10 }, origins: { takes: () => true } });
  const claims = new Claims({ node, control: { send }, gate, now: Date.now, log, ...options });
  const shown = (ticket: string) => {
    const verdict = gate.judge({ ticket, protocols: '', address: () => '' }, 0, Date.now());
    if (verdict.isAdmitted || verdict.why !== 'foreign') throw new Error('not foreign');
    return verdict;
  };
  const made = { name, claims, shown };
  edges.set(name, made);
  return made;
}
const issue = (node: string, over: object = {}) =>
  tickets.issue({
    uid: 'u',
    sid: 's',
    node,
    boot: `boot-${node}`,
    epoch: 1,
    expiresAt: Date.now() + 30_000,
    ...over,
  });

describe('claims', () => {
  it('admit a ticket at one edge, though several are shown it at once', async () => {
    edge('n');
    const [a, b] = [edge('a'), edge('b')];
    const ticket = issue('n');
    const answers = await Promise.all([a, b, a].map((at) => at.claims.ask(at.shown(ticket))));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['taken', 'used', 'used']);
  });

  it('are asked once about a ticket that is shown again meanwhile, which is refused as used', async () => {
    const a = edge('a', { maxQuestions: 2 });
    edge('frozen').claims.onClaim = () => {};
    const [ticket, another] = [issue('frozen'), issue('frozen')];
    const first = a.claims.ask(a.shown(ticket));
    for (let i = 0; i < 10; i += 1)
      expect(await a.claims.ask(a.shown(ticket))).toMatchObject({ outcome: 'used' });
    const second = a.claims.ask(a.shown(another));
    await vi.advanceTimersByTimeAsync(2_000);
    for (const asked of [first, second]) expect(await asked).toMatchObject({ outcome: 'silent' });
    expect(sent).toHaveLength(2);
    edge('frozen');
    expect(await a.claims.ask(a.shown(ticket))).toMatchObject({ outcome: 'taken' });
  });

  it('tell where a ticket is good whose edge is dialled elsewhere', async () => {
    edge('n', { url: 'wss://n/ws' });
    const a = edge('a');
    const answer = await a.claims.ask(a.shown(issue('n')));
    expect(answer).toEqual({ outcome: 'elsewhere', url: 'wss://n/ws' });
  });

  it('find silent who is not there, at once, and who does not answer, after two seconds', async () => {
    const a = edge('a');
    expect(await a.claims.ask(a.shown(issue('gone')))).toMatchObject({ outcome: 'silent' });
    edge('frozen').claims.onClaim = () => {};
    const asking = a.claims.ask(a.shown(issue('frozen')));
    await vi.advanceTimersByTimeAsync(1_999);
    const settled = vi.fn();
    void asking.then(settled);
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await asking).toMatchObject({ outcome: 'silent' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are unavailable without the broker, and beyond as many questions as may be open', async () => {
    const a = edge('a', { maxQuestions: 1 });
    edge('frozen').claims.onClaim = () => {};
    const first = a.claims.ask(a.shown(issue('frozen')));
    expect(await a.claims.ask(a.shown(issue('frozen')))).toMatchObject({ outcome: 'unavailable' });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await first).toMatchObject({ outcome: 'silent' });
    isBrokerAway = true;
    expect(await a.claims.ask(a.shown(issue('frozen')))).toMatchObject({ outcome: 'unavailable' });
  });

  it('take an answer from the edge that was asked, and from no other', async () => {
    const a = edge('a');
    edge('frozen').claims.onClaim = () => {};
    const asking = a.claims.ask(a.shown(issue('frozen')));
    const question = sent[0]?.command;
    const claim = question?.command === 'claim' ? question.claim : '';
    const answer = { command: 'claimed' as const, claim, outcome: 'taken' as const, url };
    a.claims.onClaimed({ ...answer, from: 'b' });
    a.claims.onClaimed({ ...answer, claim: 'other', from: 'frozen' });
    a.claims.onClaimed({ ...answer, outcome: 'used', from: 'frozen' });
    a.claims.onClaimed({ ...answer, from: 'frozen' });
    expect(await asking).toMatchObject({ outcome: 'used' });
  });

  it('are not answered before the edge listens, nor for what is no ticket of it', async () => {
    edge('n', { url: '' });
    const a = edge('a');
    const asking = a.claims.ask(a.shown(issue('n')));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await asking).toMatchObject({ outcome: 'silent' });
    edge('n').claims.onClaim({ command: 'claim', claim: 'c', ticket: issue('m'), from: 'a', boot: 'b', url });
    expect(sent.filter(({ to }) => to === 'a')).toEqual([]);
  });
});
