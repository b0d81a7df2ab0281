import type { Delivery, PublishProperties } from '@evenkeel/broker';
import {
  exchanges,
  fromUid,
  isOwnEvent,
  readSessionQueue,
  sealHeader,
  sessionHeader,
  whyHeader,
} from '@evenkeel/protocol';
import { lastDeath } from '../queue/death.js';

/** Why an event was dropped for a session; the values of `evenkeel-why`. */
const whys = ['overflow', 'expired', 'ended', 'too-large'] as const;
export type Why = (typeof whys)[number];

/** Whose session it was. */
export interface Owner {
  readonly uid: string;
  readonly sid: string;
}

type Message = Pick<Delivery, 'body' | 'key' | 'properties'>;

/** What RabbitMQ calls it when it drops a message. An edge rejects what is too large, and nothing else. */
const whyOf: Readonly<Record<string, Why>> = {
  maxlen: 'overflow',
  expired: 'expired',
  rejected: 'too-large',
};

/** Headers that RabbitMQ adds to a dead letter, and those by which it would route once more. */
const isNoise = (name: string): boolean =>
  name === 'CC' || name === 'BCC' || name === 'x-death' || /^x-(first|last)-death-/.test(name);

/** Why a dead letter was dropped and for whom; undefined: it is no event of a session. */
export function readDeadLetter({
  key,
  properties,
}: Pick<Delivery, 'key' | 'properties'>): { why: Why; owner: Owner } | undefined {
  const { headers, correlationId } = properties;
  if (sealHeader in headers) return undefined;
  const { queue, reason, exchange } = lastDeath({ properties });
  // A reply to a request, be it by its exchange or straight to the queue, is of no use to anybody else.
  const isReply = exchange === exchanges.replies || (exchange === '' && correlationId !== undefined);
  if (isReply || isOwnEvent(key)) return undefined;
  const name = typeof queue === 'string' ? readSessionQueue(queue) : undefined;
  const why = typeof reason === 'string' ? whyOf[reason] : undefined;
  return name && why ? { why, owner: { uid: name.uid, sid: name.sid } } : undefined;
}

/** An event that was dropped, as it is published on `mesh.undelivered`. */
export function undeliveredMessage(
  { body, key, properties }: Message,
  why: Why,
  { uid, sid }: Owner,
): { key: string; body: Buffer; properties: PublishProperties } {
  const { headers, messageId, timestamp, contentType, contentEncoding, correlationId } = properties;
  const { replyTo, type, appId, priority, deliveryMode } = properties;
  const kept = Object.entries(headers).filter(([name]) => !isNoise(name));
  return {
    key: keyFor(key, headers, uid),
    body,
    properties: {
      messageId,
      timestamp,
      contentType,
      contentEncoding,
      correlationId,
      replyTo,
      type,
      appId,
      priority,
      // Not `user_id`, which RabbitMQ takes from nobody else, nor `expiration`: its time is over, and it is to be found.
      persistent: deliveryMode === 2,
      headers: {
        ...Object.fromEntries(kept),
        [whyHeader]: why,
        [sessionHeader]: sid,
        'evenkeel-user': fromUid(uid),
        'evenkeel-uid': uid,
      },
    },
  };
}

/** The key by which it came to this user: of a message to several it is one of `CC`. */
function keyFor(key: string, headers: Record<string, unknown>, uid: string): string {
  const own = `user.${uid}.`;
  const all: unknown[] = [key, ...(Array.isArray(headers.CC) ? headers.CC : [])];
  const found = all.find((each) => typeof each === 'string' && each.startsWith(own));
  if (typeof found === 'string') return found;
  // By `BCC`, or put into the queue by hand.
  return /^(?:user|topic)\../.test(key) ? key : `${own}${key}`.slice(0, 255);
}
