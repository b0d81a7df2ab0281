import { withDeadline } from '@evenkeel/pace';
import type { Publisher } from '@evenkeel/publisher';
import { Refusal } from '@evenkeel/runtime';
import type { Publication, Published } from '../contract/schemas.js';
import { writtenData } from '../contract/written-data.js';
import type { Room } from './room.js';

/** Of what has no name. */
const defaultEvent = 'message';

/** What publishes: the part of a publisher that is used. */
export type Sends = Pick<Publisher, 'toUser' | 'toTopic'>;

/** An event that nobody but RabbitMQ can refuse any more. */
export interface Ready extends Omit<Publication, 'data'> {
  readonly id: string;
  readonly body: Buffer;
}

/** An event that is on its way. */
export interface Sent {
  readonly confirmed: Promise<Published>;
}

export interface PublishPorts {
  readonly sends: Sends;
  readonly room: Room;
  /** How long each message waits for room, and then for its confirm. */
  readonly waitMs: number;
}

/** `text`: the publication as it was written; `newId` makes the identity of what has none. @throws Refusal `bad-request` */
export function ready(
  { user, users, topic, event, id }: Publication,
  text: string,
  newId: () => string,
): Ready {
  const body = Buffer.from(writtenData(text).text);
  return { user, users, topic, event, id: id ?? newId(), body };
}

/**
 * Publishes. Resolves when all of it is on its way, so that what is published then comes behind it.
 * @throws Refusal `unconfirmed` where RabbitMQ does not take it; some of several users may get it then. So does `confirmed`, or
 * with the publisher's errors.
 */
export async function send(
  { user, users, topic, event = defaultEvent, id, body }: Ready,
  { sends, room, waitMs }: PublishPorts,
): Promise<Sent> {
  // As bytes: it is written once, however many get it.
  const options = { id, contentType: 'application/json' };
  const sendOne = async (publish: () => Promise<Published>): Promise<Sent> => {
    const leave = await room.enter(body.length, waitMs, () => unconfirmed(waitMs));
    const publishing = publish();
    publishing.then(leave, leave);
    return sent(inTime(publishing, waitMs));
  };
  if (topic !== undefined) return await sendOne(() => sends.toTopic(topic, body, options));
  if (user !== undefined) return await sendOne(() => sends.toUser(user, event, body, options));
  const distinct = [...new Set(users)];
  const outcomes: Promise<Published>[] = [];
  for (const each of distinct)
    outcomes.push((await sendOne(() => sends.toUser(each, event, body, options))).confirmed);
  return sent(ofAll(id, distinct, outcomes));
}

async function ofAll(
  id: string,
  users: readonly string[],
  outcomes: readonly Promise<Published>[],
): Promise<Published> {
  const all = await Promise.all(outcomes);
  const unrouted = users.filter((_, n) => all[n]?.routed === false);
  return { id, routed: unrouted.length === 0, ...(unrouted.length > 0 && { unrouted }) };
}

/** What fails may do so before anybody waits for it. */
function sent(confirmed: Promise<Published>): Sent {
  confirmed.catch(() => {});
  return { confirmed };
}

function inTime<T>(publishing: Promise<T>, waitMs: number): Promise<T> {
  return withDeadline(publishing, waitMs, () => {
    throw unconfirmed(waitMs);
  });
}

function unconfirmed(waitMs: number): Refusal {
  const message = `not confirmed within ${waitMs} ms, and it may arrive still; repeat it with the same id`;
  return new Refusal(503, 'unconfirmed', message, { 'retry-after': '1' });
}
