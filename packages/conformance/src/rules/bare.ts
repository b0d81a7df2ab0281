import { closeCodes, toUid, userKey } from '@evenkeel/protocol';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

export const bareRules: Rule[] = [
  {
    id: 'bare-bodies',
    section: '6',
    text: 'without a subprotocol and without hello each event is one message: its body, text or binary, unchanged',
    async check(c) {
      const { socket } = await c.bare();
      mustEqual(socket.protocol, '', 'subprotocol');
      const key = userKey(toUid(c.user), 'e');
      for (const body of ['{ "a" : 1 }', 'plain é', '']) {
        await c.publish(key, body);
        const { text, isBinary } = await socket.nextMessage();
        mustEqual([text, isBinary], [body, false], 'message');
      }
      await c.publish(key, Buffer.from([0, 255, 128]));
      const binary = await socket.nextMessage();
      mustEqual([binary.bytes.toString('hex'), binary.isBinary], ['00ff80', true], 'message');
    },
  },
  {
    id: 'bare-order',
    section: '6',
    text: 'a bare client gets everything once and in order, without acknowledging',
    async check(c) {
      const { socket } = await c.bare();
      await c.series(300);
      for (let n = 1; n <= 300; n++) mustEqual((await socket.nextMessage()).text, String(n), 'message');
    },
  },
  {
    id: 'bare-ignored',
    section: '6',
    text: 'what a bare client sends is ignored, whatever it is',
    async check(c) {
      const { socket } = await c.bare();
      for (const frame of [
        'garbage',
        '{"t":"hello"}',
        '{"t":"dance"}',
        '{"t":"ack","seq":9}',
        Buffer.from([1]),
      ])
        socket.send(frame);
      await c.event('e', 'still here');
      mustEqual((await socket.nextMessage()).text, '"still here"', 'the first message');
    },
  },
  {
    id: 'bare-limit',
    section: '6',
    text: 'the payload limit holds for a bare client: 1009',
    async check(c) {
      const { socket } = await c.bare();
      socket.send('x'.repeat(65_537));
      await socket.mustClose(closeCodes.tooLarge);
    },
  },
  {
    id: 'bare-handled',
    section: '6',
    text: 'what was written to a bare client does not come again; what was published while it was away does',
    async check(c) {
      const a = await c.bare();
      await c.event('e', 1);
      await a.socket.nextMessage();
      await a.socket.cut();
      // What an edge writes before it notices is lost, and may be.
      await c.unattended(a.placement.session);
      await c.event('e', 2);
      const b = await c.bare({ session: a.placement.session, from: a.placement.node });
      mustEqual((await b.socket.nextMessage()).text, '2', 'the first message after coming back');
    },
  },
  {
    id: 'bare-move',
    section: '6',
    text: 'on a move a bare client is closed with 1012 service-restart; through the gateway it misses nothing',
    async check(c) {
      const { socket, placement } = await c.bare();
      // A bare client is not told when it is attached; a session that is not yet cannot be moved.
      await c.event('e', 0);
      await socket.nextMessage();
      await c.command(placement.node, {
        command: 'reconnect',
        move: c.word('move'),
        to: c.otherNode(placement.node),
        sessions: [`${toUid(c.user)}.${placement.session}`],
      });
      await socket.mustClose(closeCodes.serviceRestart);
      await c.series(3);
      const again = await c.bare({ session: placement.session, from: placement.node });
      for (let n = 1; n <= 3; n++) mustEqual((await again.socket.nextMessage()).text, String(n), 'message');
    },
  },
  {
    id: 'bare-superseded',
    section: '5',
    text: 'of two bare sockets for one session the newer wins, the older is closed with 4501',
    async check(c) {
      const a = await c.bare();
      await pause(5);
      const b = await c.bare({ session: a.placement.session, from: a.placement.node });
      await a.socket.mustClose(closeCodes.superseded);
      await c.event('e', 1);
      mustEqual((await b.socket.nextMessage()).text, '1', 'message');
      must(b.socket.ended === undefined, 'the newer was closed too');
    },
  },
];
