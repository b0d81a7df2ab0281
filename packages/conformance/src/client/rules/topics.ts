import type { ScriptedConnection } from '@evenkeel/testkit';
import type { Rule } from '../../rule.js';
import { must, mustEqual } from '../../verdict.js';
import type { ClientCase } from '../case.js';
import { asksToMove, moves } from './moves.js';

const topic = 'news';

function say(connection: ScriptedConnection, ids: readonly string[]): void {
  for (const id of ids) connection.message(topic, id);
}

export const topicRules: readonly Rule<ClientCase>[] = [
  {
    id: 'topic-order',
    section: '2.2',
    text: 'messages of a topic are handed on in order, each once',
    async check(c) {
      const connection = await c.connect([topic]);
      const ids = Array.from({ length: 60 }, (_, n) => `m${n}`);
      say(connection, ids);
      await c.messagesHandedOn(topic, ids, 'Every message must be handed on, in order');
      must(connection.acked === 0, 'The client acknowledged messages of a topic; only events are.');
    },
  },
  {
    id: 'topic-equal',
    section: '4',
    text: 'equal messages of a topic are several messages',
    async check(c) {
      const connection = await c.connect([topic]);
      say(connection, ['~x', '~x', '~x']);
      await c.messagesHandedOn(topic, ['~x', '~x', '~x'], 'A message was dropped for its content');
    },
  },
  {
    id: 'topic-before-welcome',
    section: '2.2',
    text: 'messages of a topic may come before welcome',
    async check(c) {
      c.launch([topic]);
      const connection = await c.hello(c.a);
      say(connection, ['m1']);
      connection.welcome();
      say(connection, ['m2']);
      connection.event('e1');
      await c.messagesHandedOn(topic, ['m1', 'm2'], 'Topics are subscribed before anything else');
      await c.handedOn(['e1'], 'A message before welcome must change nothing about events');
    },
  },
  {
    id: 'topic-gap',
    section: '2.2',
    text: 'a gap of a topic is told before its next message',
    async check(c) {
      const connection = await c.connect([topic]);
      say(connection, ['m1']);
      connection.send({ t: 'gap', topic, reason: 'broker-lost' });
      say(connection, ['m2']);
      await c.messagesHandedOn(topic, ['m1', 'm2'], 'A gap must change nothing about messages');
      const order = c.lines
        .filter(({ kind }) => kind === 'gap' || kind === 'message')
        .map(({ kind }) => kind);
      mustEqual(order, ['message', 'gap', 'message'], 'The gap of a topic was not told in its place');
      mustEqual(c.all('gap')[0]?.topic, topic, 'The client did not say of which topic the gap is');
    },
  },
  {
    id: 'topic-after-loss',
    section: '5',
    text: 'after a loss the topics are in hello again, and what comes is handed on, also what equals earlier messages',
    async check(c) {
      const first = await c.connect([topic]);
      say(first, ['m1', '~x']);
      await c.messagesHandedOn(topic, ['m1', '~x'], 'Every message must be handed on');
      first.terminate();
      const second = await c.attach(c.a);
      mustEqual(second.all('hello')[0]?.topics, [topic], 'After a loss hello names other topics');
      second.send({ t: 'gap', topic, reason: 'connection-lost' });
      say(second, ['~x', 'm2']);
      await c.messagesHandedOn(
        topic,
        ['m1', '~x', '~x', 'm2'],
        'After a loss nothing of a topic comes twice, so nothing may be dropped for its content',
      );
      must(c.all('gap').length > 0, 'The client did not tell the gap of its topic after a loss.');
    },
  },
  {
    id: 'move-topics-merged',
    section: '4',
    text: 'messages of both sockets are merged by their ids: none twice, none missing, in order',
    async check(c) {
      const first = await c.connect([topic]);
      say(first, ['m1']);
      const second = await asksToMove(c, first, c.b);
      say(second, ['m2', 'm3', 'm4', 'm5']);
      say(first, ['m2', 'm3']);
      second.mark('k1');
      first.moved(undefined, 'k1');
      second.welcome({ resumed: true });
      say(second, ['m6']);
      await c.messagesHandedOn(
        topic,
        ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'],
        'Over a move each message must be handed on once, in order',
      );
    },
  },
  {
    id: 'move-topics-kept',
    section: '4',
    text: 'messages of the new socket are kept until moved has come on the old one',
    async check(c) {
      const first = await c.connect([topic]);
      const second = await asksToMove(c, first, c.b);
      say(second, ['m1', 'm2']);
      second.welcome({ resumed: true });
      second.event('e1');
      await c.until('handed on an event of the new socket', () => c.events.length === 1);
      say(first, ['m1']);
      first.moved();
      await c.messagesHandedOn(topic, ['m1', 'm2'], 'welcome has overtaken moved, and messages came wrong');
    },
  },
  {
    id: 'move-topics-gap',
    section: '4',
    text: 'a gap that the old edge tells in a move is told, and what the new edge has of what came after it is handed on once',
    async check(c) {
      const first = await c.connect([topic]);
      say(first, ['m1']);
      const second = await asksToMove(c, first, c.b);
      say(second, ['m3', 'm4']);
      first.send({ t: 'gap', topic, reason: 'connection-lost' });
      first.moved();
      second.welcome({ resumed: true });
      say(second, ['m5']);
      await c.messagesHandedOn(topic, ['m1', 'm3', 'm4', 'm5'], 'A gap in a move must lose nothing more');
      const order = c.lines.filter(({ kind, id }) => kind === 'gap' || id === 'm3').map(({ kind }) => kind);
      mustEqual(
        order[0],
        'gap',
        'The client told a gap of the old edge only after the messages that follow it',
      );
    },
  },
  {
    id: 'move-topics-lag',
    section: '4',
    text: 'what the new edge, lagging behind, sends after moved is dropped by its id',
    async check(c) {
      const first = await c.connect([topic]);
      say(first, ['m1', 'm2', 'm3']);
      await c.messagesHandedOn(topic, ['m1', 'm2', 'm3'], 'Every message must be handed on');
      const second = await moves(c, first, c.b);
      say(second, ['m2', 'm3', 'm4']);
      await c.messagesHandedOn(
        topic,
        ['m1', 'm2', 'm3', 'm4'],
        'The new edge repeated what the old one had sent',
      );
    },
  },
  {
    id: 'move-topics-mark',
    section: '4',
    text: 'the mark tells which messages of the new socket the old one has brought, where ids cannot',
    async check(c) {
      const first = await c.connect([topic]);
      const second = await asksToMove(c, first, c.b);
      // Of three equal messages the second edge has the last two; the old one has sent the first two.
      say(first, ['~x', '~x']);
      say(second, ['~x']);
      second.mark('k1');
      say(second, ['~x']);
      first.moved(undefined, 'k1');
      second.welcome({ resumed: true });
      await c.messagesHandedOn(
        topic,
        ['~x', '~x', '~x'],
        'Equal messages around a move are told apart by the mark',
      );
    },
  },
  {
    id: 'move-topics-two-moves',
    section: '4',
    text: 'messages are merged over a second move too',
    async check(c) {
      const first = await c.connect([topic]);
      say(first, ['m1']);
      const second = await moves(c, first, c.b);
      say(second, ['m2']);
      const third = await asksToMove(c, second, c.c);
      say(third, ['m3', 'm4']);
      say(second, ['m3']);
      second.moved();
      third.welcome({ resumed: true });
      await c.messagesHandedOn(
        topic,
        ['m1', 'm2', 'm3', 'm4'],
        'Over two moves each message must be handed on once',
      );
    },
  },
];
