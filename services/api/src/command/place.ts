import { exchanges, orderKey, placeAnswer } from '@evenkeel/protocol';
import { Refusal } from '@evenkeel/runtime';
import type { Placed } from '../contract/users.js';
import type { Calls } from './calls.js';

/** A balancer that has just started waits for edges up to 4 s before it counts sessions. */
const waitMs = 6_000;

export interface Placing {
  readonly command: 'join' | 'leave';
  readonly user: string;
  readonly topic: string;
  readonly session?: string | undefined;
  /** Identity of the order. */
  readonly id: string;
}

/** Puts a user's sessions, or one of them, into a topic, or takes them out, by the balancer. @throws Refusal; BrokerError */
export async function place(
  { command, user, topic, session, id }: Placing,
  { calls }: { calls: Pick<Calls, 'ask'> },
): Promise<Placed> {
  const { body } = await calls.ask({
    exchange: exchanges.topics,
    key: orderKey(command, topic),
    body: { user, session },
    id,
    waitMs,
    missing: 'no balancer has answered; it may be done',
  });
  const told = placeAnswer.parse(body);
  if (told.ok) return { user, topic, sessions: told.sessions };
  const { code, message } = told;
  if (code !== 'not-ready') throw new Refusal(400, 'bad-name', message);
  throw new Refusal(503, 'unavailable', `${code}: ${message}`, { 'retry-after': '1' });
}
