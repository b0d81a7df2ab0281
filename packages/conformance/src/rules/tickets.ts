import { closeCodes, type Placement, subprotocol, wrongEdgeAt } from '@evenkeel/protocol';
import { UpgradeRefused } from '@evenkeel/testkit';
import type { Case } from '../case.js';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

async function mustRefuse(
  c: Case,
  placement: Pick<Placement, 'url' | 'ticket'>,
  what: string,
  code?: string,
): Promise<void> {
  const refused = await c.open(placement).then(
    () => undefined,
    (error: unknown) => error,
  );
  must(refused instanceof UpgradeRefused, `${what} was not refused by an HTTP answer: ${String(refused)}`);
  mustEqual(refused.status, 401, `status for ${what}`);
  const body = JSON.parse(refused.body) as { error?: { code?: unknown; message?: unknown } };
  must(typeof body.error?.code === 'string', `${what}: no error code in ${refused.body}`);
  if (code !== undefined) mustEqual(body.error.code, code, `code for ${what}`);
}

/** The claims changed, the signature kept. */
function forge(ticket: string): string {
  const parts = ticket.split('.');
  const claims = Buffer.from(parts.at(-2) ?? '', 'base64url').toString('utf8');
  const forged = Buffer.from(claims.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10)));
  return [...parts.slice(0, -2), forged.toString('base64url'), ...parts.slice(-1)].join('.');
}

export const ticketRules: Rule[] = [
  {
    id: 'subprotocol',
    section: '1',
    text: 'the edge accepts a good ticket and answers the subprotocol evenkeel.v1',
    async check(c) {
      const socket = await c.open(await c.place());
      mustEqual(socket.protocol, subprotocol, 'subprotocol');
    },
  },
  {
    id: 'ticket-form',
    section: '1',
    text: 'a ticket is <node>.<claims>.<signature>, of the gateway and of a move',
    async check(c) {
      const a = await c.attach();
      const { node, ticket } = a.placement;
      mustEqual([ticket.split('.')[0], ticket.split('.').length], [node, 3], 'name and parts of a ticket');
      const move = await c.commandMove(a);
      const parts = move.ticket.split('.');
      mustEqual([parts[0], parts.length], [move.node, 3], "name and parts of a move's ticket");
    },
  },
  {
    id: 'ticket-process',
    section: '1',
    text: 'a ticket for another process of the edge: 401 ticket-stale; one of two parts names no process and is taken',
    async check(c) {
      const a = await c.attach();
      const { node, url } = c.otherNode(a.welcome.node);
      const stale = await c.commandMove(a, { to: { node, url, boot: 'before' } });
      await mustRefuse(c, stale, 'a ticket for an earlier process', 'ticket-stale');
      const b = await c.attach();
      const other = c.otherNode(b.welcome.node);
      const older = await c.commandMove(b, { to: { node: other.node, url: other.url } });
      mustEqual(older.ticket.split('.').length, 2, 'parts of a ticket that names no process');
      await (await c.dial(older)).next('welcome');
    },
  },
  {
    id: 'ticket-missing',
    section: '1',
    text: 'no ticket or a malformed one: 401 and a JSON error, no WebSocket',
    async check(c) {
      const { url } = await c.place();
      for (const ticket of ['', 'x', 'a.b', '.'.repeat(50), 'x'.repeat(4_000)])
        await mustRefuse(c, { url, ticket }, `the ticket '${ticket.slice(0, 10)}'`);
    },
  },
  {
    id: 'ticket-forged',
    section: '1',
    text: 'a forged ticket: 401',
    async check(c) {
      const placement = await c.place();
      const { ticket } = placement;
      must(forge(ticket) !== ticket, 'this kit cannot forge such a ticket');
      await mustRefuse(c, { ...placement, ticket: forge(ticket) }, 'a ticket with changed claims');
      const unsigned = `${ticket.slice(0, ticket.lastIndexOf('.') + 1)}AAAA`;
      await mustRefuse(c, { ...placement, ticket: unsigned }, 'a ticket with another signature');
      const socket = await c.open(placement);
      socket.send({ t: 'hello' });
      await socket.next('welcome');
    },
  },
  {
    id: 'ticket-foreign',
    section: '1',
    text: 'a ticket for another edge: 4010 with the url where it is still good, or welcome where all edges have one url',
    async check(c) {
      const placement = await c.place();
      const { url } = c.otherNode(placement.node);
      if (url !== placement.url) {
        const turnedAway = await c.open({ ...placement, url });
        await turnedAway.mustClose(wrongEdgeAt(placement.url));
      }
      const socket = await c.open(placement);
      socket.send({ t: 'hello' });
      await socket.next('welcome');
      await mustRefuse(c, { ...placement, url }, 'a used ticket at another edge', 'ticket-used');
    },
  },
  {
    id: 'ticket-foreign-bare',
    section: '1',
    text: 'a bare client that comes to the wrong edge gets a WebSocket and 4010 too',
    async check(c) {
      const placement = await c.place();
      const { url } = c.otherNode(placement.node);
      if (url === placement.url) return;
      const turnedAway = await c.open({ ...placement, url }, { isBare: true });
      mustEqual((await turnedAway.end()).code, closeCodes.wrongEdge.code, 'close code');
    },
  },
  {
    id: 'ticket-replayed',
    section: '1',
    text: 'a ticket is good for one socket: used again it gets 401 and the first socket lives on',
    async check(c) {
      const { socket, placement } = await c.attach();
      await mustRefuse(c, placement, 'a used ticket');
      await socket.mustLive('the first socket of a replayed ticket');
      await socket.cut();
      await mustRefuse(c, placement, 'a used ticket whose socket is gone');
    },
  },
  {
    id: 'ticket-expired',
    section: '8',
    text: 'a ticket past its expiresInMs: 401',
    isSlow: true,
    async check(c) {
      const placement = await c.place();
      await pause(placement.expiresInMs + 200);
      await mustRefuse(c, placement, 'an expired ticket');
    },
  },
  {
    id: 'ticket-stale',
    section: '5',
    text: 'an older ticket used after a newer one: closed with 4007 stale-ticket, the newer socket stays',
    async check(c) {
      const session = c.word('tab');
      const older = await c.place({ session });
      await pause(5);
      const { socket } = await c.attach({ session });
      const late = await c.open(older);
      late.send({ t: 'hello' });
      await late.mustClose(closeCodes.staleTicket);
      await c.event('still', 1);
      await socket.next('event');
    },
  },
];
