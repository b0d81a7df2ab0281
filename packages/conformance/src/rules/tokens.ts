import { closeCodes, maxPassBytes } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must } from '../verdict.js';

export const tokenRules: Rule[] = [
  {
    id: 'refresh-answered',
    section: '2.1',
    text: 'a refresh is answered under its id, also one whose token is no good, and the connection goes on as before',
    async check(c) {
      const topic = c.word('topic');
      const { socket } = await c.attach({ hello: { topics: [topic] } });
      socket.send({ t: 'refresh', id: 'r1', token: 'no.token.at-all' });
      // A gateway has 5 s.
      const answer = await socket.answer('r1', 10_000);
      must(answer.t === 'error', 'a token that nobody has signed was taken');
      await c.event('e', 1);
      await socket.next('event');
      await c.topic(topic, 1);
      await socket.next('message');
    },
  },
  {
    id: 'pass-limit',
    section: '2.1',
    text: `a pass of more than ${maxPassBytes} bytes closes with 4500`,
    async check(c) {
      const socket = await c.open(await c.place());
      socket.send({ t: 'hello', pass: 'x'.repeat(maxPassBytes + 1) });
      await socket.mustClose(closeCodes.badFrame);
    },
  },
];
