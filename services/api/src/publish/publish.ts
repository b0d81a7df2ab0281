import { withDeadline } from '@evenkeel/pace';
import type { Publisher } from '@evenkeel/publisher';
import { Refusal } from '@evenkeel/runtime';
import type { Publication, Published } from '../contract/schemas.js';

/** Of what has no name. */
const defaultEvent = 'message';

/** What publishes: the part of a publisher that is used. */
export type Sends = Pick<Publisher, 'toUser' | 'toTopic'>;

/**
 * Publishes and waits for RabbitMQ's confirm. `newId` makes the identity of what has none.
 * @throws Refusal `unconfirmed` after `waitMs`; the publisher's errors.
 */
export async function publishOne(
  sends: Sends,
  { user, users, topic, event = defaultEvent, data, id: given }: Publication,
  { newId, waitMs }: { newId: () => string; waitMs: number },
): Promise<Published> {
  const id = given ?? newId();
  if (users !== undefined) {
    const distinct = [...new Set(users)];
    const outcomes = await inTime(
      Promise.all(distinct.map((each) => sends.toUser(each, event, data, { id }))),
      waitMs,
    );
    const unrouted = distinct.filter((_, n) => outcomes[n]?.routed === false);
    return { id, routed: unrouted.length === 0, ...(unrouted.length > 0 && { unrouted }) };
  }
  const publishing =
    user !== undefined ? sends.toUser(user, event, data, { id }) : sends.toTopic(topic ?? '', data, { id });
  return inTime(publishing, waitMs);
}

function inTime<T>(publishing: Promise<T>, waitMs: number): Promise<T> {
  return withDeadline(publishing, waitMs, () => {
    const message = `not confirmed within ${waitMs} ms, and it may arrive still; repeat it with the same id`;
    throw new Refusal(503, 'unconfirmed', message, { 'retry-after': '1' });
  });
}
