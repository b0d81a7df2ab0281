import { closeCodes, defaults } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual } from '../verdict.js';

/** What breaks the protocol, once hello has been said. */
const violations: [string, string | Buffer][] = [
  ['no JSON', 'hello?'],
  ['an empty message', ''],
  ['JSON that is no object', '[1]'],
  ['null', 'null'],
  ['no `t`', '{"id":"1"}'],
  ['a `t` that is no string', '{"t":1}'],
  ['ack without seq', '{"t":"ack"}'],
  ['ack with a string for seq', '{"t":"ack","seq":"0"}'],
  ['ack with a negative seq', '{"t":"ack","seq":-1}'],
  ['subscribe without topic', '{"t":"subscribe","id":"1"}'],
  ['subscribe without id', '{"t":"subscribe","topic":"a"}'],
  ['publish without id', '{"t":"publish","topic":"a","data":1}'],
  ['refresh without token', '{"t":"refresh","id":"1"}'],
  ['refresh with an empty token', '{"t":"refresh","id":"1","token":""}'],
  ['request with a number for method', '{"t":"request","id":"1","method":1}'],
  ['an id of 129 characters', JSON.stringify({ t: 'subscribe', id: 'x'.repeat(129), topic: 'a' })],
  ['an id that is a fraction', '{"t":"subscribe","id":1.5,"topic":"a"}'],
  ['a binary message', Buffer.from('{"t":"ping"}')],
];

export const frameRules: Rule[] = [
  {
    id: 'unknown-fields',
    section: '2',
    text: 'fields that it does not know are ignored',
    async check(c) {
      const { socket } = await c.attach({ hello: { colour: 'green', topics: [], nested: { t: 'ack' } } });
      socket.send({ t: 'subscribe', id: 's', topic: c.word('topic'), colour: 1 });
      await socket.mustOk('s');
      socket.send({ t: 'ping', id: 7 });
      await socket.next('pong');
    },
  },
  {
    id: 'unknown-type',
    section: '2',
    text: 'a kind that it does not know is answered with error `unknown-type`, and the connection goes on',
    async check(c) {
      const { socket } = await c.attach();
      socket.send({ t: 'dance', id: 'd1' });
      const error = await socket.next('error');
      mustEqual(error.code, 'unknown-type', 'code');
      await socket.mustLive('the socket after an unknown kind');
    },
  },
  {
    id: 'reserved-types',
    section: '9',
    text: 'kinds of coming versions are answered with error `unknown-type` and their id, and the connection goes on',
    async check(c) {
      const { socket } = await c.attach();
      for (const frame of [{ t: 'x-later', id: 'a1', data: 1 }, { t: 'X' }]) {
        socket.send(frame);
        const error = await socket.next('error');
        mustEqual([error.code, error.re], ['unknown-type', frame.id], `answer to ${frame.t}`);
      }
      await socket.mustLive('the socket after kinds of coming versions');
    },
  },
  {
    id: 'reserved-fields',
    section: '9',
    text: 'fields of hello of coming versions are ignored, and a topic that is written out is its name',
    async check(c) {
      const topic = c.word('topic');
      const hello = {
        last: { connection: 'none', seq: 1 },
        pass: 'none',
        info: { device: 'phone' },
        topics: [{ topic, since: '0', presence: true }],
      };
      const { socket } = await c.attach({ hello });
      await c.topic(topic, 1);
      mustEqual((await socket.next('message')).topic, topic, 'topic');
    },
  },
  {
    id: 'bad-frame',
    section: '2',
    text: 'not JSON, a field missing or wrong, or binary: closed with 4500 bad-frame',
    async check(c) {
      for (const [what, frame] of violations) {
        const { socket } = await c.attach({ user: `${c.user}-v` });
        socket.send(frame);
        await socket.mustClose(closeCodes.badFrame).catch((error: unknown) => {
          must(false, `${what}: ${error instanceof Error ? error.message : String(error)}`);
        });
      }
    },
  },
  {
    id: 'payload-limit',
    section: '2',
    text: `a frame of ${defaults.maxPayloadBytes} bytes is taken, one byte more closes with 1009`,
    async check(c) {
      const frame = (bytes: number) => {
        const empty = '{"t":"ping","x":""}';
        return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`);
      };
      const { socket } = await c.attach();
      socket.send(frame(defaults.maxPayloadBytes));
      await socket.next('pong');
      socket.send(frame(defaults.maxPayloadBytes + 1));
      await socket.mustClose(closeCodes.tooLarge);
    },
  },
  {
    id: 'payload-cut-off',
    section: '2',
    text: 'a frame over twice that is cut off without a close frame',
    async check(c) {
      const { socket } = await c.attach();
      socket.send('x'.repeat(131_073));
      mustEqual((await socket.end()).code, 1006, 'close code');
    },
  },
  {
    id: 'hello-first',
    section: '2.1',
    text: 'a first frame that is not hello closes with 4500',
    async check(c) {
      for (const frame of ['{"t":"ping"}', '{"t":"ack","seq":0}', '{"t":"subscribe","id":"1","topic":"a"}']) {
        const socket = await c.open(await c.place());
        socket.send(frame);
        await socket.mustClose(closeCodes.badFrame);
      }
    },
  },
  {
    id: 'hello-twice',
    section: '2.1',
    text: 'a second hello closes with 4500',
    async check(c) {
      const { socket } = await c.attach();
      socket.send({ t: 'hello' });
      await socket.mustClose(closeCodes.badFrame);
    },
  },
  {
    id: 'hello-timeout',
    section: '2.1',
    text: 'no hello within 10 s: closed with 4002',
    async check(c) {
      const socket = await c.open(await c.place());
      const openedAtMs = performance.now();
      await socket.mustClose(closeCodes.helloTimeout, defaults.helloTimeoutMs + 3_000);
      const waitedMs = performance.now() - openedAtMs;
      must(waitedMs > defaults.helloTimeoutMs - 500, `closed after ${Math.round(waitedMs)} ms already`);
    },
  },
  {
    id: 'welcome',
    section: '2.2',
    text: 'hello is answered by welcome with session, node, resumed, heartbeatMs and window',
    async check(c) {
      const { welcome, placement } = await c.attach();
      mustEqual(welcome.session, placement.session, 'session');
      mustEqual(welcome.node, placement.node, 'node');
      mustEqual(welcome.resumed, false, 'resumed of a new session');
      must(Number.isInteger(welcome.heartbeatMs) && welcome.heartbeatMs > 0, 'heartbeatMs is no time');
      must(Number.isInteger(welcome.window) && welcome.window > 0, 'window is no number');
    },
  },
  {
    id: 'welcome-no-gap',
    section: '2.2',
    text: 'a new session has no gap',
    async check(c) {
      const { socket } = await c.attach({ hello: { topics: [c.word('topic')] } });
      await socket.mustLive('a new socket');
      must(
        socket.log.every(({ frame }) => frame?.t !== 'gap'),
        'a gap was sent to a new session',
      );
    },
  },
  {
    id: 'ping',
    section: '2.1',
    text: 'ping is answered by pong',
    async check(c) {
      const { socket } = await c.attach();
      for (let n = 0; n < 3; n++) await socket.mustLive('the socket');
    },
  },
];
