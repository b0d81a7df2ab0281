import { closeCodes, defaults, toUid, userKey } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

export const eventRules: Rule[] = [
  {
    id: 'event-fields',
    section: '2.2',
    text: "an event has seq from 1, the message's id, and the key's words after user.<uid>. as name",
    async check(c) {
      const { socket } = await c.attach();
      await c.event('order.created', { n: 1 }, { messageId: 'first' });
      await c.event('order', { n: 2 }, { messageId: 'second' });
      const [a, b] = await socket.nextEvents(2);
      mustEqual([a?.seq, a?.id, a?.name, a?.data], [1, 'first', 'order.created', { n: 1 }], 'event');
      mustEqual([b?.seq, b?.id, b?.name, b?.data], [2, 'second', 'order', { n: 2 }], 'event');
      mustEqual(a?.redelivered, undefined, 'redelivered of a first delivery');
    },
  },
  {
    id: 'event-plain',
    section: '7',
    text: 'a plain AMQP message without any properties will do; its derived id begins with ~',
    async check(c) {
      const { socket } = await c.attach();
      await c.publish(userKey(toUid(c.user), 'plain'), 'hi');
      const event = await socket.next('event');
      mustEqual([event.data, event.name], ['hi', 'plain'], 'event');
      must(event.id.startsWith('~'), `the derived id is '${event.id}'`);
    },
  },
  {
    id: 'event-order',
    section: '2.2',
    text: 'events come once each and in the order of publishing',
    async check(c) {
      const { socket } = await c.attach({ hello: { ack: 'write' } });
      await c.series(500);
      const events = await socket.nextEvents(500);
      mustEqual(
        events.map(({ data }) => data),
        numbers(1, 500),
        'events',
      );
      mustEqual(
        events.map(({ seq }) => seq),
        numbers(1, 500),
        'seq',
      );
    },
  },
  {
    id: 'event-every-session',
    section: '2.2',
    text: "every session of the user gets the event, and nobody else's",
    async check(c) {
      const [a, b] = [await c.attach(), await c.attach()];
      const other = await c.attach({ user: `${c.user}-2` });
      await c.event('both', 1);
      await c.event('other', 2, { user: other.user });
      await a.socket.next('event');
      await b.socket.next('event');
      mustEqual((await other.socket.next('event')).data, 2, "the other user's first event");
    },
  },
  {
    id: 'window',
    section: '2.2',
    text: 'at most `window` events are sent ahead of the acknowledgement; ack lets the rest come',
    async check(c) {
      const { socket, welcome } = await c.attach();
      const { window } = welcome;
      await c.series(window + 10);
      await socket.nextEvents(window);
      await socket.mustNot('event', 500, 'an event over the window');
      socket.send({ t: 'ack', seq: 4 });
      await socket.nextEvents(4);
      await socket.mustNot('event', 300, 'more events than were acknowledged');
      socket.send({ t: 'ack', seq: window + 4 });
      mustEqual((await socket.nextEvents(6)).at(-1)?.seq, window + 10, 'last seq');
    },
  },
  {
    id: 'ack-lower',
    section: '2.1',
    text: 'an ack lower than one before is ignored',
    async check(c) {
      const { socket } = await c.attach();
      await c.series(3);
      await socket.nextEvents(3);
      for (const seq of [3, 1, 0, 3]) socket.send({ t: 'ack', seq });
      await socket.mustLive('the socket after a lower ack');
    },
  },
  {
    id: 'ack-never-sent',
    section: '2.1',
    text: 'an ack of a seq never sent closes with 4500',
    async check(c) {
      const { socket } = await c.attach();
      await c.series(2);
      await socket.nextEvents(2);
      socket.send({ t: 'ack', seq: 3 });
      await socket.mustClose(closeCodes.badFrame);
    },
  },
  {
    id: 'ack-cumulative',
    section: '2.1',
    text: 'what is acknowledged does not come again, what is not does, in order and marked redelivered',
    async check(c) {
      const first = await c.attach();
      await c.series(5);
      const sent = await first.socket.nextEvents(5);
      first.socket.send({ t: 'ack', seq: 2 });
      await first.socket.mustLive('the socket');
      await first.socket.cut();
      const { socket, welcome } = await c.resume(first);
      mustEqual(welcome.resumed, true, 'resumed');
      const again = await socket.nextEvents(3);
      mustEqual(
        again.map(({ id }) => id),
        sent.slice(2).map(({ id }) => id),
        'ids that came again',
      );
      mustEqual(
        again.map(({ seq, redelivered }) => [seq, redelivered]),
        [1, 2, 3].map((seq) => [seq, true]),
        'seq and redelivered',
      );
      await c.event('after', 6);
      mustEqual((await socket.next('event')).data, 6, 'the event after them');
    },
  },
  {
    id: 'ack-write',
    section: '2.1',
    text: 'with ack `write` events count as handled when written: more than a window comes, none again',
    async check(c) {
      const first = await c.attach({ hello: { ack: 'write' } });
      const count = first.welcome.window * 2;
      await c.series(count);
      await first.socket.nextEvents(count);
      await first.socket.cut();
      const { socket } = await c.resume(first, { ack: 'write' });
      await c.event('after', 'after');
      mustEqual((await socket.next('event')).data, 'after', 'the first event after coming back');
    },
  },
  {
    id: 'ack-timeout',
    section: '3',
    text: 'an event unacknowledged, and nothing acknowledged for 60 s: closed with 4004; it comes again',
    isSlow: true,
    async check(c) {
      const first = await c.attach();
      await c.event('e', 1);
      await first.socket.next('event');
      const heartbeat = setInterval(() => first.socket.send({ t: 'ping' }), 5_000);
      try {
        await first.socket.mustClose(closeCodes.ackTimeout, defaults.ackTimeoutMs + 5_000);
      } finally {
        clearInterval(heartbeat);
      }
      const { socket } = await c.resume(first);
      mustEqual((await socket.next('event')).data, 1, 'the event that comes again');
    },
  },
  {
    id: 'slow-consumer',
    section: '3',
    text: 'a client that reads nothing for 30 s with more than the high watermark buffered: closed with 4003',
    isSlow: true,
    async check(c) {
      const first = await c.attach({ hello: { ack: 'write' } });
      first.socket.freeze();
      const body = 'x'.repeat(262_144);
      for (let n = 0; n < 80; n++) await c.event('big', body);
      await pause(defaults.slowConsumerMs + 4_000);
      first.socket.thaw();
      const { code } = await first.socket.end();
      must(code === closeCodes.slowConsumer.code || code === 1006, `closed with ${code}`);
    },
  },
];
