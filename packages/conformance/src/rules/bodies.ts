import { atHeader, type Payload, toUid, userKey } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual } from '../verdict.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const bodyRules: Rule[] = [
  {
    id: 'body-json',
    section: '2',
    text: 'a JSON body is carried as it is, digit for digit',
    async check(c) {
      const { socket } = await c.attach();
      const key = userKey(toUid(c.user), 'b');
      const body = '{"n":12345678901234567890,"e":1.0,"text":"é\\u0001","nested":[{"t":"moved"},null]}';
      for (const contentType of ['application/json', 'application/cloudevents+json', undefined]) {
        await c.publish(key, body, { contentType });
        await socket.next('event');
        const raw = socket.log.at(-1)?.text;
        must(raw?.includes(`"data":${body}`), `${contentType ?? 'no content type'}: ${raw}`);
      }
      for (const scalar of ['null', 'true', '"text"', '0', '[]']) {
        await c.publish(key, scalar, { contentType: 'application/json' });
        mustEqual((await socket.next('event')).data, JSON.parse(scalar), `the body ${scalar}`);
      }
    },
  },
  {
    id: 'body-text',
    section: '2',
    text: 'a text body is carried as a string, also one that looks like JSON',
    async check(c) {
      const { socket } = await c.attach();
      const key = userKey(toUid(c.user), 'b');
      const texts: [string, string | undefined][] = [
        ['not JSON', undefined],
        ['not JSON', 'application/json'],
        ['{"a":1}', 'text/plain'],
        ['12', 'text/plain; charset=utf-8'],
        ['', 'text/plain'],
        ['"quotes" \\ and \n lines', 'text/plain'],
      ];
      for (const [text, contentType] of texts) {
        await c.publish(key, text, { contentType });
        const event = await socket.next('event');
        mustEqual(event.data, text, `data of '${text}' as ${contentType ?? 'nothing'}`);
        mustEqual(event.encoding, undefined, 'encoding of a text');
      }
    },
  },
  {
    id: 'body-binary',
    section: '2',
    text: 'any other body is carried as base64 with encoding and contentType',
    async check(c) {
      const { socket } = await c.attach();
      const key = userKey(toUid(c.user), 'b');
      const bytes = Buffer.from([0, 255, 254, 128, 10, 13, 34]);
      for (const contentType of ['application/octet-stream', 'image/png', undefined]) {
        await c.publish(key, bytes, { contentType });
        const event = await socket.next('event');
        mustEqual([event.data, event.encoding], [bytes.toString('base64'), 'base64'], 'data and encoding');
        must(typeof event.contentType === 'string', 'contentType is missing');
        if (contentType) mustEqual(event.contentType, contentType, 'contentType');
      }
    },
  },
  {
    id: 'body-of-topic',
    section: '2',
    text: 'bodies of topic events are carried alike',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach({ hello: { topics: [topic] } });
      await c.publish(`topic.${topic}`, Buffer.from([255, 0]), { contentType: 'image/png' });
      const binary = await socket.next('message');
      mustEqual([binary.data, binary.encoding, binary.contentType], ['/wA=', 'base64', 'image/png'], 'body');
      await c.publish(`topic.${topic}`, 'plain words');
      mustEqual((await socket.next('message')).data, 'plain words', 'data');
      await c.publish(`topic.${topic}`, '{"a":[1]}');
      mustEqual((await socket.next('message')).data, { a: [1] }, 'data');
    },
  },
  {
    id: 'at',
    section: '2',
    text: '`at` is the time of publishing in ms: by header, else by timestamp, else the time now',
    async check(c) {
      const { socket } = await c.attach();
      const key = userKey(toUid(c.user), 'b');
      await c.publish(key, '1', { timestamp: 1_600_000_000 });
      mustEqual((await socket.next('event')).at, 1_600_000_000_000, 'at');
      await c.publish(key, '1', { timestamp: 1_600_000_000, headers: { [atHeader]: 1_600_000_000_123 } });
      mustEqual((await socket.next('event')).at, 1_600_000_000_123, 'at by the header evenkeel-at');
      await c.publish(key, '1', { timestamp: 1_600_000_000, headers: { [atHeader]: 'yesterday' } });
      mustEqual((await socket.next('event')).at, 1_600_000_000_000, 'at by a header that is no time');
      await c.publish(key, '1');
      const { at } = await socket.next('event');
      must(Math.abs(Date.now() - at) < 60_000, `at is ${at}, now is ${Date.now()}`);
    },
  },
  {
    id: 'headers',
    section: '2',
    text: '`headers` carries traceparent, tracestate and CloudEvents attributes',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach({ hello: { topics: [topic] } });
      const carried = {
        traceparent,
        tracestate: 'vendor=1',
        cloudEvents_type: 'order.created',
        cloudEvents_source: '/orders',
      };
      await c.event('h', 1, { headers: carried });
      mustEqual(sorted((await socket.next('event')).headers), sorted(carried), 'headers of an event');
      await c.topic(topic, 1, { headers: carried });
      mustEqual(sorted((await socket.next('message')).headers), sorted(carried), 'headers of a message');
      await c.event('h', 1);
      mustEqual((await socket.next('event')).headers, undefined, 'headers of an event without');
    },
  },
  {
    id: 'trace-context',
    section: '2.6',
    text: 'a well-formed traceparent is a field of event and message, with tracestate; what is not well-formed is left out',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach({ hello: { topics: [topic] } });
      const traceOf = ({ traceparent, tracestate }: Payload) => [traceparent, tracestate];
      await c.event('t', 1, { headers: { traceparent, tracestate: 'vendor=1' } });
      mustEqual(traceOf(await socket.next('event')), [traceparent, 'vendor=1'], 'trace context of an event');
      await c.topic(topic, 1, { headers: { traceparent, tracestate: 'vendor=1' } });
      mustEqual(
        traceOf(await socket.next('message')),
        [traceparent, 'vendor=1'],
        'trace context of a message',
      );
      await c.event('t', 1, { headers: { traceparent, tracestate: 'not a member' } });
      mustEqual(traceOf(await socket.next('event')), [traceparent, undefined], 'with a malformed tracestate');
      for (const wrong of ['', 'x', traceparent.toUpperCase(), traceparent.replace(/^00/, 'ff'), 7]) {
        await c.event('t', 1, { headers: { traceparent: wrong, tracestate: 'vendor=1' } });
        mustEqual(traceOf(await socket.next('event')), [undefined, undefined], `with traceparent '${wrong}'`);
      }
    },
  },
];

const sorted = (headers: Record<string, string> = {}): [string, string][] =>
  Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
