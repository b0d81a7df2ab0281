import type { EventFrame } from '@evenkeel/protocol';
import type { ScriptedConnection } from '@evenkeel/testkit';
import type { Rule } from '../../rule.js';
import { must } from '../../verdict.js';
import type { ClientCase } from '../case.js';
import { asksToMove } from './moves.js';

/** An id that an edge has derived from the content: no identity. */
const derived = (content: string): string => `~${content}`;

/** The first socket has brought these and is lost; the client is back. */
async function afterLoss(c: ClientCase, ids: readonly string[]): Promise<ScriptedConnection> {
  const first = await c.connect();
  for (const id of ids) first.event(id);
  await c.acked(first, ids.length);
  first.terminate();
  return c.attach(c.a);
}

/** An edge says `again` only to who names its last connection. */
const namesLast = (connection: ScriptedConnection): boolean => connection.all('hello')[0]?.last !== undefined;

const again = (seq: number): Partial<EventFrame> => ({ redelivered: true, again: seq });

export const repeatRules: readonly Rule<ClientCase>[] = [
  {
    id: 'repeat-by-id',
    section: '5',
    text: 'an event with an id that has come is dropped, and acknowledged',
    async check(c) {
      const second = await afterLoss(c, ['e1', 'e2']);
      second.event('e1', { redelivered: true });
      second.event('e2', { redelivered: true });
      await c.acked(second, 2);
      second.event('e3');
      await c.handedOn(['e1', 'e2', 'e3'], 'A repeat must be dropped by its id');
      await c.acked(second, 3);
    },
  },
  {
    id: 'repeat-remembered',
    section: '5',
    text: 'ids are remembered for twice the window',
    async check(c) {
      const ids = Array.from({ length: 128 }, (_, n) => `e${n + 1}`);
      const first = await c.connect();
      for (const [n, id] of ids.entries()) {
        if (n >= 64) await c.acked(first, n - 63);
        first.event(id);
      }
      await c.acked(first, 128);
      first.event('e1', { redelivered: true });
      first.event('last');
      await c.acked(first, 130);
      await c.handedOn([...ids, 'last'], 'An id among the last 2 × window must be known');
    },
  },
  {
    id: 'repeat-not-by-content',
    section: '5',
    text: 'equal events are several events: none is dropped for its content',
    async check(c) {
      const connection = await c.connect();
      connection.event('e1', { data: { price: 7 } });
      connection.event('e2', { data: { price: 7 } });
      // Without message_id edges derive one id from both.
      connection.event(derived('x'), { data: { price: 7 } });
      connection.event(derived('x'), { data: { price: 7 } });
      await c.handedOn(
        ['e1', 'e2', derived('x'), derived('x')],
        'An event was dropped because its content had come before; only its id or its place make a repeat',
      );
    },
  },
  {
    id: 'repeat-equal-after-loss',
    section: '5',
    text: 'an equal event that comes after a loss, and is not marked as delivered before, is new',
    async check(c) {
      const second = await afterLoss(c, [derived('x')]);
      second.event(derived('x'));
      await c.handedOn(
        [derived('x'), derived('x')],
        'An event was dropped because its content had come before the loss',
      );
    },
  },
  {
    id: 'repeat-again',
    section: '5',
    text: 'an event whose again names a seq that had come is dropped, whatever its id',
    async check(c) {
      const second = await afterLoss(c, [derived('x'), derived('y')]);
      if (!namesLast(second)) return;
      second.event(derived('x'), again(1));
      second.event(derived('y'), again(2));
      second.event(derived('z'));
      await c.acked(second, 3);
      await c.handedOn(
        [derived('x'), derived('y'), derived('z')],
        'again names an event that had come on the connection of last, so it is a repeat',
      );
    },
  },
  {
    id: 'repeat-again-lost',
    section: '5',
    text: 'an event whose again names a seq that had not come is handed on, though its content has come',
    async check(c) {
      const second = await afterLoss(c, [derived('x')]);
      if (!namesLast(second)) return;
      // The edge had written a second one, which was lost on the way.
      second.event(derived('x'), again(2));
      await c.handedOn(
        [derived('x'), derived('x')],
        'again names an event that had never come, so it is none of those that had',
      );
    },
  },
  {
    id: 'repeat-over-move',
    section: '5',
    text: 'what comes again after a move is dropped, and acknowledged only once its original is handled',
    async check(c) {
      const first = await c.connect();
      const sentAtMs = performance.now();
      first.event('e1', { data: { waitMs: 1_200 } });
      await c.until('handed on the first event', () => c.events.length === 1);
      const second = await asksToMove(c, first, c.b);
      first.moved();
      // The old edge waits for the last ack no longer than it may: the event goes back to the queue.
      second.welcome({ resumed: true });
      second.event('e1', { redelivered: true, data: { waitMs: 1_200 } });
      second.event('e2');
      await c.acked(second, 2);
      const [ack] = c.acks(second);
      must(
        (ack?.atMs ?? 0) - sentAtMs >= 1_150,
        'The client acknowledged a repeat while the handler of its original was still at work.',
      );
      await c.handedOn(['e1', 'e2'], 'A repeat after a move must be dropped');
    },
  },
  {
    id: 'repeat-by-place',
    section: '5',
    text: 'redelivered events without again repeat, in order, what was not acknowledged',
    async check(c) {
      const first = await c.connect();
      first.event(derived('x'));
      await c.acked(first, 1);
      first.event(derived('y'), { data: { waitMs: 700 } });
      first.event(derived('x'));
      await c.until('handed on the second event', () => c.events.length >= 2);
      // Its edge dies, while the client is at work on the second: the broker delivers both anew.
      first.terminate();
      const second = await c.attach(c.a);
      second.event(derived('y'), { redelivered: true, data: { waitMs: 700 } });
      second.event(derived('x'), { redelivered: true });
      second.event(derived('x'));
      await c.acked(second, 3);
      await c.handedOn(
        [derived('x'), derived('y'), derived('x'), derived('x')],
        'What was not acknowledged came again once, and then an equal event that is new',
      );
    },
  },
];
