import type { Delivery } from '@evenkeel/broker';
import { defaults, exchanges, replyExchangeHeader, sessionAddress, toUid } from '@evenkeel/protocol';
import type { Case } from '../case.js';
import type { Rule } from '../rule.js';
import { must, mustEqual } from '../verdict.js';

async function inbox(c: Case, key: string): Promise<Delivery[]> {
  const inbound: Delivery[] = [];
  await c.serve(key, (delivery) => inbound.push(delivery));
  return inbound;
}

/** Answers with `body`, as an application service of any language would; says whether a queue took it. */
async function reply(
  c: Case,
  to: Delivery,
  body: string,
  { exchange = exchanges.replies as string, headers }: { exchange?: string; headers?: object } = {},
): Promise<'routed' | 'unrouted'> {
  must(to.properties.replyTo, 'the request has no reply_to');
  must(to.properties.correlationId, 'the request has no correlation_id');
  return await c.mesh.publisher.publish(exchange, to.properties.replyTo, body, {
    correlationId: to.properties.correlationId,
    mandatory: true,
    contentType: headers === undefined ? 'application/json' : 'text/plain',
    ...(headers && { headers: { ...headers } }),
  });
}

/** The `n`-th that comes, counted from 1. */
async function arrived(inbound: readonly Delivery[], n = 1): Promise<Delivery> {
  for (let looks = 0; looks < 400; looks++) {
    const delivery = inbound[n - 1];
    if (delivery !== undefined) return delivery;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  must(false, `${inbound.length} of ${n} messages came from mesh.inbound within 8 s`);
}

/** A client that has asked `r1` for a method that only this case serves, and what came of it. */
async function asked(c: Case) {
  const method = c.word('in');
  const inbound = await inbox(c, method);
  const client = await c.attach();
  client.socket.send({ t: 'request', id: 'r1', method, data: {} });
  return { method, inbound, client, request: await arrived(inbound) };
}

export const requestRules: Rule[] = [
  {
    id: 'publish',
    section: '2.1',
    text: 'publish goes to mesh.inbound with the topic as key and says who and which session; ok when confirmed',
    async check(c) {
      const user = `${c.user}.with dots`;
      const topic = `${c.word('in')}.chat.say`;
      const inbound = await inbox(c, topic);
      const { socket, placement } = await c.attach({ user });
      socket.send({ t: 'publish', id: 'p1', topic, data: { text: 'hi' } });
      await socket.mustOk('p1');
      const { key, body, properties } = await arrived(inbound);
      mustEqual(properties.type, 'publish', 'type');
      mustEqual([key, JSON.parse(body.toString())], [topic, { text: 'hi' }], 'key and body');
      mustEqual(properties.headers['evenkeel-user'], user, 'evenkeel-user');
      mustEqual(properties.headers['evenkeel-session'], placement.session, 'evenkeel-session');
      mustEqual(properties.messageId, `${toUid(user)}.${placement.session}.p1`, 'message_id');
    },
  },
  {
    id: 'trace-of-requests',
    section: '2.6',
    text: 'the trace context of publish and request is in the headers that services get, that of a reply in ok',
    async check(c) {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const answered = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';
      const method = c.word('in');
      const inbound = await inbox(c, method);
      const { socket } = await c.attach();
      const traceOf = ({ properties }: Delivery) => [
        properties.headers.traceparent,
        properties.headers.tracestate,
      ];
      socket.send({ t: 'publish', id: 'p1', topic: method, data: 1, traceparent, tracestate: 'vendor=1' });
      mustEqual(traceOf(await arrived(inbound, 1)), [traceparent, 'vendor=1'], 'headers of a publish');
      socket.send({ t: 'publish', id: 'p2', topic: method, data: 1, traceparent: 7, tracestate: 'vendor=1' });
      mustEqual(traceOf(await arrived(inbound, 2)), [undefined, undefined], 'headers where it is none');
      socket.send({ t: 'request', id: 'r1', method, data: 1, traceparent });
      const request = await arrived(inbound, 3);
      mustEqual(traceOf(request), [traceparent, undefined], 'headers of a request');
      await reply(c, request, '1', { headers: { traceparent: answered } });
      const { traceparent: carried } = await socket.mustOk('r1');
      mustEqual(carried, answered, 'traceparent of ok');
    },
  },
  {
    id: 'publish-no-service',
    section: '2.1',
    text: 'publish and request answer error no-service when nothing consumes them',
    async check(c) {
      const { socket } = await c.attach();
      socket.send({ t: 'publish', id: 'p', topic: c.word('nobody'), data: 1 });
      await socket.mustError('p', 'no-service');
      socket.send({ t: 'request', id: 'r', method: c.word('nobody'), data: 1 });
      await socket.mustError('r', 'no-service');
    },
  },
  {
    id: 'publish-again',
    section: '2.1',
    text: 'sent again with the same id in the same session it has the same message_id, also on another socket',
    async check(c) {
      const topic = c.word('in');
      const inbound = await inbox(c, topic);
      const a = await c.attach();
      a.socket.send({ t: 'publish', id: 'same', topic, data: 1 });
      await a.socket.mustOk('same');
      await a.socket.cut();
      const b = await c.resume(a);
      b.socket.send({ t: 'publish', id: 'same', topic, data: 1 });
      await b.socket.mustOk('same');
      const again = await arrived(inbound, 2);
      mustEqual(again.properties.messageId, inbound[0]?.properties.messageId, 'message_id');
    },
  },
  {
    id: 'request',
    section: '2.1',
    text: "request is answered by ok with the service's reply as data; reply_to is the session's address",
    async check(c) {
      const method = `${c.word('in')}.add`;
      const inbound = await inbox(c, method);
      const { socket, placement } = await c.attach();
      socket.send({ t: 'request', id: 'r1', method, data: [1, 2] });
      const request = await arrived(inbound);
      mustEqual(JSON.parse(request.body.toString()), [1, 2], 'body');
      mustEqual(request.properties.type, 'request', 'type');
      mustEqual(request.properties.replyTo, sessionAddress(toUid(c.user), placement.session), 'reply_to');
      await reply(c, request, '{"sum":3}');
      mustEqual((await socket.mustOk('r1')).data, { sum: 3 }, 'data');
    },
  },
  {
    id: 'request-replies',
    section: '7',
    text: 'a request names mesh.replies, where its reply is routed to the session; by the default exchange it arrives too',
    async check(c) {
      const { method, inbound, client, request } = await asked(c);
      const { socket } = client;
      mustEqual(request.properties.headers[replyExchangeHeader], exchanges.replies, replyExchangeHeader);
      mustEqual(await reply(c, request, '1'), 'routed', 'a mandatory reply to mesh.replies');
      mustEqual((await socket.mustOk('r1')).data, 1, 'data');
      socket.send({ t: 'request', id: 'r2', method, data: {} });
      mustEqual(
        await reply(c, await arrived(inbound, 2), '2', { exchange: '' }),
        'routed',
        'a reply by the default exchange',
      );
      mustEqual((await socket.mustOk('r2')).data, 2, 'data');
    },
  },
  {
    id: 'request-error',
    section: '7',
    text: 'a reply with header evenkeel-error is an error with that code and its body as message',
    async check(c) {
      const { client, request } = await asked(c);
      const { socket } = client;
      await reply(c, request, 'sold out', { headers: { 'evenkeel-error': 'no-stock' } });
      const answer = await socket.answer('r1');
      mustEqual(
        answer.t === 'error' ? [answer.code, answer.message] : answer,
        ['no-stock', 'sold out'],
        'code and message',
      );
      await socket.mustLive('the socket after an error');
    },
  },
  {
    id: 'request-moves',
    section: '7',
    text: 'a reply survives a move: asked before, answered on the new socket',
    async check(c) {
      const { client, request } = await asked(c);
      const b = await c.dial(await c.commandMove(client));
      await b.next('welcome');
      await reply(c, request, '"moved"');
      mustEqual((await b.mustOk('r1')).data, 'moved', 'data');
    },
  },
  {
    id: 'request-timeout',
    section: '8',
    text: 'error request-timeout after 30 s without an answer',
    isSlow: true,
    async check(c) {
      const method = c.word('in');
      await inbox(c, method);
      const { socket } = await c.attach();
      socket.send({ t: 'request', id: 'r1', method, data: {} });
      await socket.mustError('r1', 'request-timeout', defaults.requestTimeoutMs + 4_000);
    },
  },
  {
    id: 'request-names',
    section: '2.1',
    text: 'names that cannot be routing keys are errors of that request only',
    async check(c) {
      const { socket } = await c.attach();
      socket.send({ t: 'publish', id: 'p', topic: 'a.*', data: 1 });
      await socket.mustError('p', 'bad-topic');
      socket.send({ t: 'request', id: 'r', method: '#', data: 1 });
      await socket.mustError('r', 'bad-method');
      await socket.mustLive('the socket');
    },
  },
  {
    id: 'request-ids',
    section: '2.1',
    text: 'an id is a string of at most 128 characters or a whole number; `re` repeats it as a string',
    async check(c) {
      const { socket } = await c.attach();
      const longest = 'é"\\'.padEnd(128, 'x');
      for (const [id, re] of [
        [longest, longest],
        [42, '42'],
        [0, '0'],
      ] as const) {
        socket.send({ t: 'subscribe', id, topic: c.word('topic') });
        await socket.mustOk(re);
      }
    },
  },
];
