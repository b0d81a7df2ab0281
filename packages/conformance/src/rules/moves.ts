import { closeCodes, wrongEdgeAt } from '@evenkeel/protocol';
import { UpgradeRefused } from '@evenkeel/testkit';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

export const moveRules: Rule[] = [
  {
    id: 'move-frame',
    section: '4',
    text: 'reconnect makes the edge send move: node, url and ticket of the other edge, reason, deadlineMs, jitterMs',
    async check(c) {
      const a = await c.attach();
      const target = c.otherNode(a.welcome.node);
      const move = await c.commandMove(a, { deadlineMs: 7_000, reason: 'because', to: target });
      mustEqual(
        [move.node, move.url, move.deadlineMs, move.reason],
        [target.node, target.url, 7_000, 'because'],
        'move',
      );
      must(move.move !== '' && move.ticket !== '', 'move or ticket is empty');
      must(move.jitterMs >= 0, `jitterMs is ${move.jitterMs}`);
      const b = await c.dial(move);
      const welcome = await b.next('welcome');
      mustEqual(
        [welcome.node, welcome.session, welcome.resumed],
        [target.node, a.placement.session, true],
        'welcome of the new edge',
      );
    },
  },
  {
    id: 'move-delivers-on',
    section: '4',
    text: 'after move the edge goes on delivering and answering',
    async check(c) {
      const topic = c.word('topic');
      const a = await c.attach({ hello: { topics: [topic] } });
      await c.commandMove(a);
      await c.series(200);
      for (let n = 1; n <= 200; n++) {
        const event = await a.socket.next('event');
        mustEqual(event.data, n, 'event');
        a.socket.send({ t: 'ack', seq: event.seq });
      }
      await c.topic(topic, 1);
      await a.socket.next('message');
      await a.socket.mustLive('the first socket');
    },
  },
  {
    id: 'move-ignored',
    section: '4',
    text: 'a client may ignore move: after deadlineMs the session is where it was, and may be moved again',
    async check(c) {
      const a = await c.attach();
      await c.commandMove(a, { deadlineMs: 500 });
      await pause(2_000);
      await c.event('still', 1);
      await a.socket.next('event');
      const b = await c.dial(await c.commandMove(a));
      a.socket.send({ t: 'ack', seq: 1 });
      await b.next('welcome');
    },
  },
  {
    id: 'move-brought-back',
    section: '4',
    text: 'a second socket that comes to the first edge: 4010 and where to go, then the same move with a new ticket',
    async check(c) {
      const a = await c.attach();
      const move = await c.commandMove(a);
      if (move.url === a.placement.url) return;
      const back = await c.open({ url: a.placement.url, ticket: move.ticket });
      await back.mustClose(wrongEdgeAt(move.url));
      const again = await a.socket.next('move');
      mustEqual([again.move, again.url], [move.move, move.url], 'the move that is sent again');
      must(again.ticket !== move.ticket, 'it has the ticket of the first try');
      const b = await c.dial(again);
      await b.next('welcome');
    },
  },
  {
    id: 'move-order',
    section: '4',
    text: 'make before break: moved on the old socket, then its ack, then welcome on the new one',
    async check(c) {
      const a = await c.attach();
      await c.series(3);
      await a.socket.nextEvents(3);
      const b = await c.dial(await c.commandMove(a));
      const moved = await a.socket.next('moved');
      mustEqual(moved.seq, 3, 'seq of moved');
      await b.mustNot('welcome', 700, 'welcome came before the ack of what was received');
      const ackedAtMs = performance.now();
      a.socket.send({ t: 'ack', seq: 3 });
      await b.next('welcome');
      const waitedMs = performance.now() - ackedAtMs;
      must(waitedMs < 1_000, `welcome came ${Math.round(waitedMs)} ms after the ack`);
      await c.event('e', 4);
      const event = await b.next('event');
      mustEqual([event.seq, event.data], [1, 4], 'the first event on the new socket');
      must(a.socket.ended === undefined, 'the old socket was closed before the client closed it');
    },
  },
  {
    id: 'move-ack-bounded',
    section: '4',
    text: 'the old edge waits for the ack at most 2 s; what was not acknowledged comes again, marked redelivered',
    async check(c) {
      const a = await c.attach();
      await c.series(3);
      const sent = await a.socket.nextEvents(3);
      const b = await c.dial(await c.commandMove(a));
      await a.socket.next('moved');
      a.socket.send({ t: 'ack', seq: 1 });
      const movedAtMs = performance.now();
      await b.next('welcome');
      const waitedMs = performance.now() - movedAtMs;
      must(waitedMs < 3_500, `welcome came ${Math.round(waitedMs)} ms after moved`);
      const again = await b.nextEvents(2);
      mustEqual(
        again.map(({ id, redelivered }) => [id, redelivered]),
        sent.slice(1).map(({ id }) => [id, true]),
        'events that came again',
      );
      a.socket.send({ t: 'ack', seq: 3 });
      await c.event('e', 4);
      mustEqual((await b.next('event')).data, 4, 'the event after them');
    },
  },
  {
    id: 'move-window-full',
    section: '4',
    text: 'a full window moves too: the rest comes on the new socket, in order',
    async check(c) {
      const a = await c.attach();
      const { window } = a.welcome;
      await c.series(window * 2);
      const sent = await a.socket.nextEvents(window);
      const b = await c.dial(await c.commandMove(a));
      const moved = await a.socket.next('moved');
      mustEqual([moved.seq, sent.at(-1)?.data], [window, window], 'seq of moved');
      a.socket.send({ t: 'ack', seq: window });
      await b.next('welcome');
      const rest = await b.nextEvents(window);
      mustEqual([rest[0]?.data, rest.at(-1)?.data], [window + 1, window * 2], 'first and last of the rest');
    },
  },
  {
    id: 'moved-received',
    section: '2.2',
    text: 'moved counts the requests accepted; it is the last frame, and what comes after it is not looked at',
    async check(c) {
      const topic = c.word('in');
      const inbound: string[] = [];
      await c.serve(topic, (delivery) => inbound.push(delivery.body.toString()));
      const a = await c.attach();
      a.socket.send({ t: 'subscribe', id: 's', topic: c.word('topic') });
      a.socket.send({ t: 'unsubscribe', id: 'u', topic: c.word('topic') });
      a.socket.send({ t: 'publish', id: 'p1', topic, data: 'before' });
      a.socket.send({ t: 'ping' });
      await a.socket.mustOk('p1');
      const b = await c.dial(await c.commandMove(a));
      mustEqual((await a.socket.next('moved')).received, 3, 'received');
      a.socket.send({ t: 'publish', id: 'p2', topic, data: 'after moved' });
      a.socket.send({ t: 'ping' });
      await b.next('welcome');
      b.send({ t: 'publish', id: 'p2', topic, data: 'on the new socket' });
      await b.mustOk('p2');
      await pause(300);
      mustEqual(inbound, ['"before"', '"on the new socket"'], 'what reached the service');
      mustEqual(a.socket.log.at(-1)?.frame?.t, 'moved', 'the last frame on the old socket');
      must(a.socket.ended === undefined, 'the old socket was closed for a frame after moved');
    },
  },
  {
    id: 'move-old-socket',
    section: '4',
    text: 'an old socket that the client keeps is closed after 5 s with 4001',
    async check(c) {
      const a = await c.attach();
      const b = await c.dial(await c.commandMove(a));
      await b.next('welcome');
      const sinceMs = performance.now();
      await a.socket.mustClose(closeCodes.moved, 8_000);
      must(performance.now() - sinceMs > 3_500, 'it was closed earlier');
      await b.mustLive('the new socket');
    },
  },
  {
    id: 'move-second-fails',
    section: '4',
    text: 'a second socket that closes before hello or is never opened leaves the session where it was',
    async check(c) {
      const a = await c.attach();
      const second = await c.open(await c.commandMove(a, { deadlineMs: 500 }));
      await second.cut();
      await c.event('still', 1);
      await a.socket.next('event');
      await a.socket.mustLive('the first socket');
    },
  },
  {
    id: 'move-ticket-fenced',
    section: '1',
    text: "a move's ticket is for one socket: used, it gets 401 at its edge and at the one that it came from",
    async check(c) {
      const a = await c.attach();
      const move = await c.commandMove(a);
      const statusAt = (url: string) =>
        c.open({ url, ticket: move.ticket }).then(
          () => 101,
          (error: unknown) => (error instanceof UpgradeRefused ? error.status : String(error)),
        );
      const b = await c.dial(move);
      await b.next('welcome');
      await a.socket.next('moved');
      for (const url of [move.url, a.placement.url])
        mustEqual(await statusAt(url), 401, `used again at ${url}`);
      await b.mustLive('the moved socket');
    },
  },
  {
    id: 'move-superseded-fence',
    section: '4',
    text: 'an ack on the old socket after the hand-over acknowledges nothing of the new one',
    async check(c) {
      const a = await c.attach();
      const b = await c.dial(await c.commandMove(a));
      await b.next('welcome');
      await c.series(3);
      await b.nextEvents(3);
      for (const seq of [0, 1, 2, 3]) a.socket.send({ t: 'ack', seq });
      await b.mustLive('the new socket');
      await b.cut();
      const again = await c.resume({ ...a, socket: b }, {}, { from: c.otherNode(a.welcome.node).node });
      mustEqual(
        (await again.socket.nextEvents(3)).map(({ data }) => data),
        [1, 2, 3],
        'events that come again',
      );
    },
  },
];
