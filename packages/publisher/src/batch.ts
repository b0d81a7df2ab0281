import { topicKey, toUid, userKey } from '@evenkeel/protocol';
import type { Checking } from './checking.js';
import { PublisherError } from './errors.js';
import { checkedKey, checkName } from './message.js';
import type { Publishing, Ready } from './publishing.js';
import type { BatchEvent, BatchResult, Published, SharedEvent } from './types.js';

type TopicEvent = Extract<BatchEvent, { topic: string }>;

/** Of all keys of one message: each copy of it carries them. */
const maxKeyBytes = 4_096;
/** Events of one batch. */
const maxEvents = 10_000;

/**
 * Sends many events, in their order. Everything is checked before anything is sent.
 * @throws PublisherError, NameError for what can never be sent, with the place in the batch.
 */
export async function sendBatch(
  publishing: Pick<Publishing, 'ready' | 'sendAll'>,
  events: readonly BatchEvent[],
  checking: Pick<Checking, 'given' | 'topic'>,
): Promise<BatchResult[]> {
  if (!Array.isArray(events) || events.length > maxEvents)
    throw new PublisherError('bad-option', `a batch is an array of at most ${maxEvents} events`);
  events.forEach(checkTarget);
  const given = events.map((event) =>
    'topic' in event
      ? checking.topic(event.topic, event.payload, event.options ?? {})
      : checking.given({ kind: 'events', name: event.event }, event.payload),
  );
  const ready = events.map((event) => messagesOf(publishing, event));
  const checked = given.some((each) => each !== undefined) ? Promise.all(given) : undefined;
  const settled = await publishing.sendAll(ready.flat(), checked);
  let sent = 0;
  return ready.map(({ length }) => {
    sent += length;
    return resultOf(settled.slice(sent - length, sent));
  });
}

function messagesOf(publishing: Pick<Publishing, 'ready'>, event: BatchEvent): Ready[] {
  const { payload, options = {} } = event;
  if ('topic' in event) {
    checkName('topic', event.topic);
    return [publishing.ready(checkedKey(topicKey(event.topic)), payload, options)];
  }
  const users = 'users' in event ? event.users : [event.user];
  return chunks(keysOf(users, event.event)).map(([key = '', ...others]) =>
    publishing.ready(key, payload, options, others),
  );
}

const targets = ['user', 'users', 'topic'];

/** It says in one way whom it is for. @throws PublisherError `bad-option` */
function checkTarget(event: BatchEvent, n: number): void {
  const wrong = (what: string) => new PublisherError('bad-option', `event ${n} of the batch: ${what}`);
  if (typeof event !== 'object' || event === null) throw wrong('it is no object');
  const given = targets.filter((target) => target in event);
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.join(' and ');
    throw wrong(`it has ${has} of ${targets.join(', ')}; give one, and leave the others out`);
  }
  if ('users' in event) checkUsers(event.users, wrong);
}

function checkUsers(users: readonly string[], wrong: (what: string) => PublisherError): void {
  if (!Array.isArray(users) || users.length === 0) throw wrong('users is an array with at least one user');
}

/** One event, to the first of its users. */
export async function sendToUser(
  publishing: Pick<Publishing, 'ready' | 'send'>,
  { users: [user = ''], event, payload, options = {} }: SharedEvent,
  checking: Pick<Checking, 'given'>,
): Promise<Published> {
  checkName('event', event);
  const key = checkedKey(userKey(toUid(user), event));
  const given = checking.given({ kind: 'events', name: event }, payload);
  return await publishing.send(publishing.ready(key, payload, options), given);
}

/** One message of a topic. */
export async function sendToTopic(
  publishing: Pick<Publishing, 'ready' | 'send'>,
  { topic, payload, options = {} }: TopicEvent,
  checking: Pick<Checking, 'topic'>,
): Promise<Published> {
  checkName('topic', topic);
  const key = checkedKey(topicKey(topic));
  const given = checking.topic(topic, payload, options);
  return await publishing.send(publishing.ready(key, payload, options), given);
}

/** One event, as one message for all of its users. @throws PublisherError `bad-option` where they are more than go in one. */
export async function sendShared(
  publishing: Pick<Publishing, 'ready' | 'send'>,
  { users, event, payload, options = {} }: SharedEvent,
  checking: Pick<Checking, 'given'>,
): Promise<Published> {
  checkUsers(users, (what) => new PublisherError('bad-option', what));
  const [keys = [], ...more] = chunks(keysOf(users, event));
  if (more.length > 0) {
    const message = `the keys of one message have at most ${maxKeyBytes} bytes together: give fewer users, or use batch`;
    throw new PublisherError('bad-option', message);
  }
  const [key = '', ...others] = keys;
  const given = checking.given({ kind: 'events', name: event }, payload);
  return await publishing.send(publishing.ready(key, payload, options, others), given);
}

/** One message for each user, with an id of its own; who is named twice gets one. What became of it is told for each place. */
export async function sendEach(
  publishing: Pick<Publishing, 'ready' | 'send'>,
  { users, event, payload, options = {} }: SharedEvent,
  checking: Pick<Checking, 'given'>,
): Promise<Published[]> {
  checkName('event', event);
  if (!Array.isArray(users))
    throw new PublisherError('bad-option', 'userIds is no array; for one user there is toUser');
  const keys = users.map((user) => checkedKey(userKey(toUid(user), event)));
  const given = checking.given({ kind: 'events', name: event }, payload);
  const distinct = [...new Set(keys)];
  const ready = distinct.map((key) => publishing.ready(key, payload, options));
  const [, ...sent] = await Promise.all([given, ...ready.map((message) => publishing.send(message, given))]);
  const placeOf = new Map(distinct.map((key, place) => [key, place]));
  return keys.map((key) => sent[placeOf.get(key) ?? -1] as Published);
}

function keysOf(users: readonly string[], event: string): string[] {
  checkName('event', event);
  return [...new Set(users)].map((user) => checkedKey(userKey(toUid(user), event)));
}

/** Keys that go in one message. */
function chunks(keys: readonly string[]): string[][] {
  const found: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const key of keys) {
    bytes += key.length;
    if (bytes > maxKeyBytes) {
      found.push([]);
      bytes = key.length;
    }
    found.at(-1)?.push(key);
  }
  return found;
}

/** One event may be several messages, where it has many users. */
function resultOf(settled: readonly PromiseSettledResult<Published>[]): BatchResult {
  const sent = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = settled.find((each) => each.status === 'rejected');
  return {
    ids: [...new Set(sent.map(({ id }) => id))],
    routed: sent.some(({ routed }) => routed),
    ...(failed && { error: failed.reason as Error }),
  };
}
