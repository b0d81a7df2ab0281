import type { Delivery } from '@evenkeel/broker';
import { eventName, topicOfKey } from '@evenkeel/protocol';

/** Keys of the header CC. RabbitMQ routes by them too, and leaves them in the message; those of BCC it takes out. */
function* otherKeys({ properties }: Delivery): Generator<string> {
  const { CC } = properties.headers;
  if (Array.isArray(CC)) for (const key of CC) if (typeof key === 'string') yield key;
}

/**
 * The name of an event for a user: the words after `user.<uid>.` of the first of its keys that is this user's. If none is, it came
 * by BCC or straight to the queue: then the words of its first key, or all of that.
 */
export function nameFor(delivery: Delivery, uid: string): string {
  const { key } = delivery;
  const own = nameIn(key, uid);
  if (own !== undefined) return own;
  for (const other of otherKeys(delivery)) {
    const name = nameIn(other, uid);
    if (name !== undefined) return name;
  }
  return eventName(key) ?? key;
}

const userPrefix = 'user.';

/** Without making a text to compare with: it is asked for every event. */
function nameIn(key: string, uid: string): string | undefined {
  if (!key.startsWith(userPrefix) || !key.startsWith(uid, userPrefix.length)) return undefined;
  const end = userPrefix.length + uid.length;
  if (key.length === end) return '';
  return key[end] === '.' ? key.slice(end + 1) : undefined;
}

/** The topics that a message is for, each once; mostly one. */
export function topicsOf(delivery: Delivery): Iterable<string> {
  const first = topicOfKey(delivery.key);
  if (delivery.properties.headers.CC === undefined) return first === undefined ? [] : [first];
  const topics = new Set<string>();
  if (first !== undefined) topics.add(first);
  for (const key of otherKeys(delivery)) {
    const topic = topicOfKey(key);
    if (topic !== undefined) topics.add(topic);
  }
  return topics;
}
