import {
  closeCodes,
  defaults,
  exchanges,
  gapReasons,
  happeningKey,
  sessionEnded,
  sessionHeader,
  sessionQueue,
  toUid,
  whyHeader,
} from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

export const sessionRules: Rule[] = [
  {
    id: 'welcome-fields',
    section: '2.2',
    text: "welcome names the connection, each another, and has the edge's limits and the queue's generation",
    async check(c) {
      const a = await c.attach();
      const { connection, limits, generation } = a.welcome;
      must(typeof connection === 'string' && connection !== '', `connection is ${String(connection)}`);
      for (const name of ['framesPerSecond', 'burst', 'maxTopics', 'maxFrameBytes'] as const)
        must(Number.isInteger(limits?.[name]) && Number(limits?.[name]) > 0, `limits.${name} is no count`);
      mustEqual(generation, 0, 'generation');
      await a.socket.cut();
      const b = await c.resume(a);
      must(b.welcome.connection !== connection, 'two connections have one name');
    },
  },
  {
    id: 'resume',
    section: '5',
    text: 'what was published while the client was away comes when it is back, in order; resumed is true',
    async check(c) {
      const a = await c.attach();
      await a.socket.cut();
      await c.series(100);
      const { socket, welcome } = await c.resume(a);
      mustEqual(welcome.resumed, true, 'resumed');
      let expected = 1;
      while (expected <= 100) {
        const event = await socket.next('event');
        mustEqual(event.data, expected, 'event');
        socket.send({ t: 'ack', seq: event.seq });
        expected += 1;
      }
      must(
        socket.log.every(({ frame }) => frame?.t !== 'gap'),
        'a gap was told where nothing was missing',
      );
    },
  },
  {
    id: 'resume-elsewhere',
    section: '5',
    text: 'a session comes back on another edge as well, with `from` and without',
    async check(c) {
      const a = await c.attach();
      await c.series(2);
      await a.socket.nextEvents(2);
      await a.socket.cut();
      const b = await c.resume(a, {}, { isNot: a.welcome.node });
      mustEqual(
        (await b.socket.nextEvents(2)).map(({ data }) => data),
        [1, 2],
        'events',
      );
      await b.socket.cut();
      const { socket } = await c.resume(b, {}, { isNot: b.welcome.node, from: '' });
      mustEqual(
        (await socket.nextEvents(2)).map(({ data }) => data),
        [1, 2],
        'events',
      );
    },
  },
  {
    id: 'bye',
    section: '2.1',
    text: 'bye ends the session: what it has left is on mesh.undelivered, its queue is gone, and it begins anew',
    async check(c) {
      const a = await c.attach();
      const left: unknown[] = [];
      const told: unknown[] = [];
      const uid = toUid(a.user);
      await c.listen(exchanges.undelivered, `user.${uid}.#`, ({ body, properties }) =>
        left.push([
          Number(body.toString()),
          properties.headers[whyHeader],
          properties.headers[sessionHeader],
        ]),
      );
      await c.listen(exchanges.sessions, happeningKey(uid, 'ended'), ({ body }) =>
        told.push((JSON.parse(body.toString()) as { reason?: unknown }).reason),
      );
      await c.series(3);
      await a.socket.nextEvents(3);
      a.socket.send({ t: 'ack', seq: 1 });
      a.socket.send({ t: 'bye' });
      await a.socket.mustClose(sessionEnded);
      const { session } = a.placement;
      const found = await c.mesh.topology.checkQueue(sessionQueue(uid, session));
      must(found === undefined, 'the queue is still there');
      const wanted = [2, 3].map((n) => [n, 'ended', session]);
      for (let n = 0; n < 100 && (left.length < 2 || told.length < 1); n++) await pause(20);
      mustEqual(left, wanted, 'undelivered events');
      mustEqual(told, ['bye'], 'why the session ended');
      const { welcome, socket } = await c.resume(a);
      mustEqual(welcome.resumed, false, 'resumed');
      mustEqual((await socket.next('gap')).reason, gapReasons.sessionExpired, 'gap');
    },
  },
  {
    id: 'newer-wins-here',
    section: '5',
    text: 'two sockets for one session on one edge: the newer wins, the older is closed with 4501',
    async check(c) {
      const a = await c.attach();
      await c.series(2);
      await a.socket.nextEvents(2);
      const b = await c.resume(a, {}, { node: a.welcome.node });
      await a.socket.mustClose(closeCodes.superseded);
      mustEqual(
        (await b.socket.nextEvents(2)).map(({ data }) => data),
        [1, 2],
        'events',
      );
    },
  },
  {
    id: 'newer-wins-elsewhere',
    section: '5',
    text: 'the same on two edges, whether or not the client says where it was',
    async check(c) {
      let a = await c.attach();
      for (const from of [a.welcome.node, '']) {
        const b = await c.resume(a, {}, { isNot: a.welcome.node, from });
        await a.socket.mustClose(closeCodes.superseded);
        await c.event('e', from);
        mustEqual((await b.socket.next('event')).data, from, 'event');
        b.socket.send({ t: 'ack', seq: 1 });
        a = b;
      }
    },
  },
  {
    id: 'gap-session-expired',
    section: '5',
    text: 'the queue is gone: resumed is false, and gap session-expired follows welcome; then events come',
    async check(c) {
      const a = await c.attach();
      await a.socket.cut();
      await c.unattended(a.placement.session);
      await c.mesh.topology.deleteQueue(sessionQueue(toUid(c.user), a.placement.session));
      const { socket, welcome } = await c.resume(a);
      mustEqual(welcome.resumed, false, 'resumed');
      mustEqual((await socket.next('gap')).reason, gapReasons.sessionExpired, 'reason');
      await c.event('e', 1);
      await socket.next('event');
    },
  },
  {
    id: 'gap-overflow-away',
    section: '2.3',
    text: `more than ${defaults.sessionMaxLength} events while away: gap overflow, and the newest come`,
    async check(c) {
      const a = await c.attach();
      await a.socket.cut();
      await c.unattended(a.placement.session);
      const count = defaults.sessionMaxLength + 50;
      await c.series(count);
      const { socket } = await c.resume(a, { ack: 'write' });
      const gap = await socket.next('gap');
      mustEqual([gap.reason, gap.topic], [gapReasons.overflow, undefined], 'gap');
      // A queue may keep one more than it must.
      const [first] = await socket.nextEvents(defaults.sessionMaxLength - 1);
      must(first?.data === 50 || first?.data === 51, `the first event: ${first?.data}, where 51 was wanted`);
      while ((await socket.next('event')).data !== count);
    },
  },
  {
    id: 'gap-overflow-slow',
    section: '2.3',
    text: 'more than the queue holds behind a full window: gap overflow before the events that follow',
    async check(c) {
      const { socket, welcome } = await c.attach();
      const count = defaults.sessionMaxLength + welcome.window + 50;
      await c.series(count);
      await socket.nextEvents(welcome.window);
      socket.send({ t: 'ack', seq: welcome.window });
      // An edge may have had one more in hand, and then it may tell it before that one as well.
      const { data } = await socket.next('event', (event) => Number(event.data) > welcome.window + 1);
      const wanted = welcome.window + 51;
      must(
        data === wanted || data === wanted - 1,
        `the first event after it: ${data}, where ${wanted} was wanted`,
      );
      const told: string[] = [];
      for (const { frame } of socket.log) {
        if (frame?.t === 'event') told.push(`event ${frame.data}`);
        if (frame?.t === 'gap') told.push(`gap ${frame.reason}`);
      }
      const before = told.slice(0, told.indexOf(`event ${data}`));
      mustEqual(before.at(-1), `gap ${gapReasons.overflow}`, 'right before it');
      const events = before.filter((each) => each.startsWith('event'));
      must(
        events.length === welcome.window || events.length === welcome.window + 1,
        `events before the gap: ${events.length}, where ${welcome.window} were wanted`,
      );
    },
  },
  {
    id: 'gap-not-in-vain',
    section: '2.3',
    text: 'who was away for long by its own account, and has missed nothing, is told of no gap',
    async check(c) {
      const a = await c.attach();
      await a.socket.cut();
      await c.unattended(a.placement.session);
      await c.series(1);
      const { socket } = await c.resume(a, { awayMs: defaults.sessionLifetimeMs });
      mustEqual((await socket.next('event')).data, 1, 'the event');
      mustEqual(socket.log.filter(({ frame }) => frame?.t === 'gap').length, 0, 'gaps');
    },
  },
  {
    id: 'gap-connection-lost',
    section: '5',
    text: 'after an unplanned loss, for every topic a gap connection-lost',
    async check(c) {
      const topics = [c.word('topic'), c.word('topic')];
      const a = await c.attach({ hello: { topics } });
      await a.socket.cut();
      const { socket } = await c.resume(a, { topics });
      const gaps = [await socket.next('gap'), await socket.next('gap')];
      mustEqual(gaps.map(({ topic }) => topic).sort(), topics.sort(), 'topics');
      for (const { reason } of gaps) mustEqual(reason, gapReasons.connectionLost, 'reason');
    },
  },
  {
    id: 'gap-slow-consumer',
    section: '2.3',
    text: 'a client that reads topics too slowly: messages are dropped, and a gap slow-consumer says so',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach({ hello: { topics: [topic] } });
      socket.freeze();
      const body = 'x'.repeat(262_144);
      for (let n = 0; n < 60; n++) await c.topic(topic, body);
      await pause(300);
      socket.thaw();
      const gap = await socket.next('gap');
      mustEqual([gap.topic, gap.reason], [topic, gapReasons.slowConsumer], 'gap');
      await c.topic(topic, 'after');
      await socket.next('message', ({ data }) => data === 'after');
    },
  },
  {
    id: 'disconnected',
    section: '3',
    text: "an operator's disconnect closes every connection of the user with 4502",
    async check(c) {
      const [a, b] = [await c.attach(), await c.attach()];
      const other = await c.attach({ user: `${c.user}-2` });
      const command = {
        command: 'disconnect',
        uid: toUid(c.user),
        reply: c.word('reply'),
        ask: c.word('ask'),
      };
      for (const { node } of c.mesh.nodes) await c.command(node, command);
      await a.socket.mustClose(closeCodes.disconnected);
      await b.socket.mustClose(closeCodes.disconnected);
      await other.socket.mustLive("another user's socket");
    },
  },
];
