import { closeCodes, defaults, maxTopicBytes } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual } from '../verdict.js';

export const topicRules: Rule[] = [
  {
    id: 'hello-topics',
    section: '2.1',
    text: 'topics of hello are subscribed before welcome',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach({ hello: { topics: [topic, `${topic}.sub`] } });
      await c.topic(topic, 1);
      await c.topic(`${topic}.sub`, 2);
      const messages = [await socket.next('message'), await socket.next('message')];
      mustEqual(
        messages.map((m) => [m.topic, m.data]),
        [
          [topic, 1],
          [`${topic}.sub`, 2],
        ],
        'messages',
      );
    },
  },
  {
    id: 'subscribe',
    section: '2.1',
    text: 'when ok has been sent, every later message of the topic comes, in order',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach();
      socket.send({ t: 'subscribe', id: 's1', topic });
      await socket.mustOk('s1');
      await Promise.all(Array.from({ length: 100 }, (_, n) => c.topic(topic, n)));
      for (let n = 0; n < 100; n++) mustEqual((await socket.next('message')).data, n, 'message');
    },
  },
  {
    id: 'unsubscribe',
    section: '2.1',
    text: 'unsubscribe is answered by ok; then nothing of the topic comes',
    async check(c) {
      const [topic, witness] = [c.word('topic'), c.word('topic')];
      const { socket } = await c.attach({ hello: { topics: [topic, witness] } });
      socket.send({ t: 'unsubscribe', id: 'u1', topic });
      await socket.mustOk('u1');
      await c.topic(topic, 'unwanted');
      await c.topic(witness, 'wanted');
      mustEqual((await socket.next('message')).data, 'wanted', 'the first message');
    },
  },
  {
    id: 'topic-exact',
    section: '2.1',
    text: 'a subscription is to that topic alone, not to those below or beside it',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach({ hello: { topics: [topic] } });
      await c.topic(`${topic}.below`, 'unwanted');
      await c.topic(c.word('topic'), 'unwanted');
      await c.topic(topic, 'wanted');
      mustEqual((await socket.next('message')).data, 'wanted', 'the first message');
    },
  },
  {
    id: 'topic-names',
    section: '2.1',
    text: 'a topic is words of [A-Za-z0-9_~-] joined by dots, at most 200 bytes; else error bad-topic',
    async check(c) {
      const { socket } = await c.attach();
      const bad = ['', 'a.**', 'a.b*', 'a..b', '.a', 'a.', 'a b', 'é', 'x'.repeat(maxTopicBytes + 1)];
      for (const [n, topic] of bad.entries()) {
        socket.send({ t: 'subscribe', id: `bad-${n}`, topic });
        await socket.mustError(`bad-${n}`, 'bad-topic');
      }
      const longest = `${c.word('A_~.9')}.${'x'.repeat(maxTopicBytes)}`.slice(0, maxTopicBytes);
      socket.send({ t: 'subscribe', id: 'good', topic: longest });
      await socket.mustOk('good');
      await c.topic(longest, 'long');
      mustEqual((await socket.next('message')).topic, longest, 'topic');
    },
  },
  {
    id: 'topic-patterns',
    section: '2.1',
    text: 'a pattern brings what it matches, under its own topic, and each message once to a connection',
    async check(c) {
      const word = c.word('pattern');
      const { socket } = await c.attach({ hello: { topics: [`${word}.*`, `${word}.a`] } });
      socket.send({ t: 'subscribe', id: 's1', topic: `${word}.#` });
      await socket.mustOk('s1');
      for (const topic of [word, `${word}.a`, `${word}.b`, `${word}.a.b`]) await c.topic(topic, topic);
      for (const topic of [word, `${word}.a`, `${word}.b`, `${word}.a.b`]) {
        const message = await socket.next('message');
        mustEqual([message.topic, message.data], [topic, topic], 'message');
      }
      socket.send({ t: 'unsubscribe', id: 'u1', topic: `${word}.#` });
      await socket.mustOk('u1');
      for (const topic of [word, `${word}.b`]) await c.topic(topic, 'again');
      mustEqual((await socket.next('message')).topic, `${word}.b`, 'topic of what the other pattern matches');
    },
  },
  {
    id: 'topic-limit',
    section: '8',
    text: `${defaults.maxTopicsPerConnection} topics a connection; one more is error topic-limit`,
    async check(c) {
      const most = defaults.maxTopicsPerConnection;
      const topics = Array.from({ length: most }, (_, n) => `${c.user}.${n}`);
      const { socket } = await c.attach({ hello: { topics } });
      socket.send({ t: 'subscribe', id: 'over', topic: `${c.user}.over` });
      await socket.mustError('over', 'topic-limit');
      socket.send({ t: 'unsubscribe', id: 'less', topic: `${c.user}.0` });
      await socket.mustOk('less');
      socket.send({ t: 'subscribe', id: 'again', topic: `${c.user}.over` });
      await socket.mustOk('again');
    },
  },
  {
    id: 'message-fields',
    section: '2.2',
    text: 'a message has topic, id, data and at, the same bytes for every subscriber',
    async check(c) {
      const topic = c.word('topic');
      const [a, b] = [
        await c.attach({ hello: { topics: [topic] } }),
        await c.attach({ hello: { topics: [topic] } }),
      ];
      await c.topic(topic, { n: 1 }, { messageId: 'm-1', timestamp: 1_700_000_000 });
      const message = await a.socket.next('message');
      mustEqual(
        [message.topic, message.id, message.data, message.at],
        [topic, 'm-1', { n: 1 }, 1_700_000_000_000],
        'message',
      );
      await b.socket.next('message');
      mustEqual(b.socket.log.at(-1)?.text, a.socket.log.at(-1)?.text, 'bytes for the other subscriber');
    },
  },
  {
    id: 'message-id-derived',
    section: '2.2',
    text: 'edges derive the same id for a topic message without one',
    async check(c) {
      const topic = c.word('topic');
      const a = await c.attach({ hello: { topics: [topic] } });
      const b = await c.attach({ node: c.otherNode(a.welcome.node).node, hello: { topics: [topic] } });
      await c.publish(`topic.${topic}`, 'no id');
      const [x, y] = [await a.socket.next('message'), await b.socket.next('message')];
      must(x.id.startsWith('~'), `the derived id is '${x.id}'`);
      mustEqual(x.id, y.id, 'id at the other edge');
    },
  },
  {
    id: 'message-unacknowledged',
    section: '2.2',
    text: 'messages are not acknowledged: they do not count in seq nor in the window',
    async check(c) {
      const topic = c.word('topic');
      const { socket, welcome } = await c.attach({ hello: { topics: [topic] } });
      await Promise.all(Array.from({ length: welcome.window + 20 }, (_, n) => c.topic(topic, n)));
      for (let n = 0; n < welcome.window + 20; n++) await socket.next('message');
      await c.event('e', 1);
      mustEqual((await socket.next('event')).seq, 1, 'seq of the first event');
      socket.send({ t: 'ack', seq: 2 });
      await socket.mustClose(closeCodes.badFrame);
    },
  },
];
