import type { ScriptedConnection, ScriptedEdge } from '@evenkeel/testkit';
import type { Rule } from '../../rule.js';
import { must, mustEqual } from '../../verdict.js';
import { type ClientCase, settleMs } from '../case.js';

/** `move`, until the second socket has said hello. The first must still be there. */
export async function asksToMove(
  c: ClientCase,
  from: ScriptedConnection,
  to: ScriptedEdge,
): Promise<ScriptedConnection> {
  from.move(to);
  return arrives(c, from, to);
}

async function arrives(
  c: ClientCase,
  from: ScriptedConnection,
  to: ScriptedEdge,
): Promise<ScriptedConnection> {
  const second = await c.hello(to);
  mustStay(from);
  return second;
}

const tooSoon =
  'The client closed its old socket before the new one had a welcome: events in between are lost or late.';

function mustStay(first: ScriptedConnection): void {
  must(first.closedWith === undefined, tooSoon);
}

/** The client has left the old socket, as it must. */
async function leaves(c: ClientCase, first: ScriptedConnection): Promise<void> {
  await c.until('closed its old socket after the move', () => first.closedWith !== undefined);
  mustEqual(first.closedWith, 1000, 'The client closed its old socket with another code');
}

/** A whole move, in the order in which it mostly happens. */
export async function moves(
  c: ClientCase,
  first: ScriptedConnection,
  to: ScriptedEdge,
): Promise<ScriptedConnection> {
  const second = await asksToMove(c, first, to);
  first.moved();
  second.welcome({ resumed: true });
  await leaves(c, first);
  return second;
}

async function staysAfter(c: ClientCase, first: ScriptedConnection, what: string): Promise<void> {
  await c.never(
    `The client left its first socket after ${what}, where it must stay.`,
    () => first.closedWith !== undefined || c.mesh.lookups.length > 1,
    4 * settleMs,
  );
  first.event('still here');
  await c.until(
    `handed on what came on its first socket after ${what}`,
    () => c.events.at(-1) === 'still here',
  );
  await c.acked(first, first.seq);
}

export const moveRules: readonly Rule<ClientCase>[] = [
  {
    id: 'move-new-socket-first',
    section: '4',
    text: 'the old socket stays open, and works, until the new one has its welcome',
    async check(c) {
      const first = await c.connect();
      first.event('e1');
      const second = await asksToMove(c, first, c.b);
      await c.never(tooSoon, () => first.closedWith !== undefined, 2 * settleMs);
      // The takeover takes its time: delivery goes on meanwhile.
      first.event('e2');
      await c.acked(first, 2);
      first.moved();
      second.welcome({ resumed: true });
      second.event('e3');
      await c.handedOn(['e1', 'e2', 'e3'], 'Over a move every event must be handed on once, in order');
      await c.acked(second, 1);
      await leaves(c, first);
      must(c.mesh.lookups.length === 1, 'The client asked the gateway in a move that went well.');
    },
  },
  {
    id: 'move-hello',
    section: '4',
    text: 'hello on the second socket has resume: true and all topics',
    async check(c) {
      const first = await c.connect(['news', 'prices.eur']);
      const second = await asksToMove(c, first, c.b);
      const [hello] = second.all('hello');
      must(hello?.resume === true, 'hello on the second socket of a move has no resume: true.');
      mustEqual([...(hello?.topics ?? [])].sort(), ['news', 'prices.eur'], 'hello lacks topics in a move');
      mustEqual(second.ticket, first.edge.mesh.lastTicket, 'The client did not show the ticket of the move');
    },
  },
  {
    id: 'move-last-ack',
    section: '4',
    text: 'after moved everything that came is acknowledged on the old socket, at once',
    async check(c) {
      const first = await c.connect();
      const second = await asksToMove(c, first, c.b);
      first.event('e1', { data: { waitMs: 300 } });
      first.event('e2');
      first.moved();
      await c.until(
        'acknowledged on the old socket of a move what it had brought',
        () => first.acked === 2,
        2_000,
      );
      second.welcome({ resumed: true });
      second.event('e3');
      await c.handedOn(['e1', 'e2', 'e3'], 'Over a move every event must be handed on once, in order');
    },
  },
  {
    id: 'move-welcome-before-moved',
    section: '4',
    text: 'welcome and moved may come in either order',
    async check(c) {
      const first = await c.connect();
      first.event('e1');
      const second = await asksToMove(c, first, c.b);
      second.welcome({ resumed: true });
      second.event('e2');
      await c.until('handed on an event of the new socket', () => c.events.includes('e2'), 8_000);
      first.moved();
      await leaves(c, first);
      await c.handedOn(['e1', 'e2'], 'Where welcome overtakes moved nothing is lost or repeated');
    },
  },
  {
    id: 'move-without-moved',
    section: '4',
    text: 'a move ends though moved never comes',
    async check(c) {
      const first = await c.connect();
      const second = await asksToMove(c, first, c.b);
      second.welcome({ resumed: true });
      second.event('e1');
      await leaves(c, first);
      await c.handedOn(['e1'], 'Without moved events of the new socket are handed on all the same');
    },
  },
  {
    id: 'move-twice',
    section: '4',
    text: 'a client moves on, and back',
    async check(c) {
      const first = await c.connect();
      first.event('e1');
      const second = await moves(c, first, c.b);
      second.event('e2');
      const third = await moves(c, second, c.a);
      third.event('e3');
      await c.handedOn(['e1', 'e2', 'e3'], 'Over two moves every event must be handed on once, in order');
      await c.acked(third, 1);
    },
  },
  {
    id: 'move-overtaken',
    section: '4',
    text: 'a move that the edge gives up for another loses nothing',
    async check(c) {
      const first = await c.connect();
      await asksToMove(c, first, c.b);
      first.event('e1');
      // The first target keeps silent; the edge asks anew, for another.
      first.move(c.c);
      const givesUp = setTimeout(() => c.b.connections[0]?.close(4009, 'takeover-failed'), 1_000);
      try {
        await c.acked(first, 1);
        const isAtC = () => c.c.connections.length > 0;
        const third = await c.hello(c.c, 3_000).catch(() => undefined);
        if (third) {
          first.moved();
          third.welcome({ resumed: true });
          third.event('e2');
        } else {
          // A client may ignore a move.
          must(!isAtC(), 'The client opened a socket for the second move and sent no hello on it.');
          first.event('e2');
        }
        await c.handedOn(['e1', 'e2'], 'A move that is overtaken must lose nothing');
      } finally {
        clearTimeout(givesUp);
      }
    },
  },
  {
    id: 'move-again',
    section: '4',
    text: 'the same move with another ticket is another try: the client dials again with that ticket',
    async check(c) {
      const first = await c.connect();
      first.move(c.b, { move: 'm1' });
      const brought = await arrives(c, first, c.b);
      brought.close(4010, c.b.url);
      await c.never(
        'The client left its first socket after 4010 in a move.',
        () => first.closedWith !== undefined,
        settleMs,
      );
      first.move(c.b, { move: 'm1' });
      const second = await arrives(c, first, c.b);
      first.moved();
      second.welcome({ resumed: true });
      second.event('e1');
      await c.handedOn(['e1'], 'The second try of a move must work');
    },
  },
  {
    id: 'move-refused',
    section: '4',
    text: 'a client whose second socket is refused stays with the first',
    async check(c) {
      const first = await c.connect();
      c.b.refuseWith = 503;
      const asked = c.b.refused;
      first.move(c.b);
      await c.until('dialled the edge of the move', () => c.b.refused > asked);
      await staysAfter(c, first, 'a move whose target refused it');
    },
  },
  ...[4009, 4501, 4006].map(
    (code): Rule<ClientCase> => ({
      id: `move-target-closes-${code}`,
      section: '4',
      text: `a client whose second socket is closed with ${code} before welcome stays with the first`,
      async check(c) {
        const first = await c.connect();
        const second = await asksToMove(c, first, c.b);
        second.close(code);
        await staysAfter(c, first, `a move whose target closed with ${code}`);
        must(!c.hasClosed, 'The client gave up, where its first socket is as good as before.');
      },
    }),
  ),
  {
    id: 'move-source-dies',
    section: '4',
    text: 'a client whose old edge dies in a move takes the new one',
    async check(c) {
      const first = await c.connect(['news']);
      first.event('e1');
      await c.acked(first, 1);
      const second = await asksToMove(c, first, c.b);
      first.terminate();
      second.message('news', 'n1');
      second.welcome({ resumed: true });
      second.event('e2');
      await c.handedOn(['e1', 'e2'], 'Where the old edge dies in a move nothing of the new one is lost');
      await c.messagesHandedOn(
        'news',
        ['n1'],
        'Where the old edge dies in a move nothing of the new one is lost',
      );
      const order = c.lines
        .filter(({ kind }) => kind === 'gap' || kind === 'message')
        .map(({ kind }) => kind);
      mustEqual(
        order,
        ['gap', 'message'],
        'The old socket ended without moved, so the topic has a gap, which must be told before its next message',
      );
    },
  },
  {
    id: 'move-target-dies',
    section: '4',
    text: 'a client whose new edge dies after moved comes back through the gateway, from both nodes',
    async check(c) {
      const first = await c.connect();
      first.event('e1');
      await c.acked(first, 1);
      const second = await asksToMove(c, first, c.b);
      first.moved();
      second.terminate();
      const lookup = await c.lookup(1);
      const from = lookup.query.get('from')?.split(',') ?? [];
      must(
        from.includes('edge-a') && from.includes('edge-b'),
        `The client must say that it comes from edge-b and edge-a; it said from=${from.join(',')}.`,
      );
      const third = await c.attach(c.a);
      third.event('e2');
      await c.handedOn(['e1', 'e2'], 'Where the new edge dies in a move nothing is lost');
    },
  },
];
