import {
  isAnswerable,
  isReplyAddress,
  readManageCommand,
  readOrder,
  readQuestion,
  refuseEntry,
  senderOf,
} from '@evenkeel/balancer/readers';
import { isSid, isTopic, isTopicPattern, isUid, manageCommand, manageCommands } from '@evenkeel/protocol';
import { isSame, jsonOf } from '../same.js';
import { holds, type Target } from '../target.js';
import { envelopeWords, messageOf } from './envelope.js';

const nowMs = 1_800_000_000_000;
const operators = new Set(['operator']);
/** Longest answer to what is refused, bytes. */
const longestRefusal = 4_096;

/** What operators and services ask of the balancer. */
export const manage: Target = {
  name: 'manage',
  about: 'management commands, questions to clients, orders to put users into topics',
  maxBytes: 16_384,
  words: [
    ...envelopeWords,
    ...manageCommands,
    ...new Set(manageCommand.options.flatMap(({ shape }) => Object.keys(shape))),
    ...[
      'operate.drain',
      'view.status',
      'join.room.42',
      'leave.room.42',
      'alice.order.confirm',
      'mesh.ask',
      'mesh.topics',
    ],
    ...[
      'evenkeel-want',
      'evenkeel-at',
      'all',
      'first',
      'operator',
      'console',
      'app-shop',
      'service.shop.1',
      'operator.1',
    ],
    ...[
      'amq.rabbitmq.reply-to.',
      'utf-8',
      'identity',
      'alice',
      's1',
      'alice.s1',
      'edge-1',
      'connections',
      'consistent-hash',
    ],
  ],
  run(input) {
    const message = messageOf(input, { exchange: 'mesh.manage' });
    if (message === undefined) return;
    const read = readManageCommand(message);
    if ('refused' in read) {
      const bytes = Buffer.byteLength(JSON.stringify(read.refused));
      holds(!read.refused.ok && bytes <= longestRefusal, 'a refusal is bounded', read.refused);
    } else {
      const { command } = read;
      const json = jsonOf(message.body.toString('utf8'));
      holds(isSame(json?.value, command), 'a command is what was sent, and nothing else', command);
      const again = readManageCommand({ ...message, body: Buffer.from(JSON.stringify(command)) });
      holds(isSame(again, read), 'what was read can be sent on, and says the same', command);
      const refusal = refuseEntry(message, command, operators);
      const sender = senderOf(message, command);
      const isOne =
        ['operator', 'anonymous'].includes(sender.user) || sender.user === message.properties.userId;
      holds(isOne, 'a sender is who the broker says', sender);
      if (refusal !== undefined)
        holds(Buffer.byteLength(JSON.stringify(refusal)) <= longestRefusal, 'a refusal is bounded', refusal);
    }
    askedOf(message);
    ordered(message);
    isReplyAddress(message.properties.replyTo ?? '');
    isAnswerable(message.properties.replyTo ?? '', message.properties.userId);
  },
};

type Message = NonNullable<ReturnType<typeof messageOf>>;

function askedOf(message: Message): void {
  const question = readQuestion({ ...message, exchange: 'mesh.ask' }, nowMs);
  if (!('uid' in question)) {
    holds(Buffer.byteLength(question.message) <= longestRefusal, 'a refusal is bounded', question);
    return;
  }
  const { uid, method, timeoutMs, leftMs } = question;
  holds(isUid(uid) && isTopic(method), 'a question is for a user', question);
  holds(leftMs > 0 && leftMs <= timeoutMs && timeoutMs <= 60_000, 'it has an end', question);
}

function ordered(message: Message): void {
  const order = readOrder(message);
  if ('ok' in order) {
    holds(!order.ok && Buffer.byteLength(order.message) <= longestRefusal, 'a refusal is bounded', order);
    return;
  }
  const { uid, topic, session } = order;
  holds(isUid(uid) && isTopicPattern(topic), 'an order is for a user and a topic', order);
  holds(session === undefined || isSid(session), 'it is for a session, if it says so', order);
}
