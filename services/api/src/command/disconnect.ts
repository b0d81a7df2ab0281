import { exchanges, isPermanentRefusal, manageKey, refusalAnswer, sessionsAnswer } from '@evenkeel/protocol';
import { Refusal } from '@evenkeel/runtime';
import type { Disconnected } from '../contract/users.js';
import type { UserLooks } from '../look/users.js';
import type { Calls } from './calls.js';

/** Edges have a second to answer the balancer. */
const waitMs = 5_000;

export interface Disconnection {
  readonly user: string;
  readonly session?: string | undefined;
  /** Identity of the command. */
  readonly id: string;
}

/** Ends a user's sessions, or one of them, by the balancer. @throws Refusal; BrokerError */
export async function disconnect(
  { user, session, id }: Disconnection,
  { calls, users }: { calls: Pick<Calls, 'ask'>; users: Pick<UserLooks, 'user'> },
): Promise<Disconnected> {
  if (session !== undefined) {
    // The balancer ends it whoever's it is.
    const { sessions, complete } = await users.user(user);
    if (!sessions.some((each) => each.session === session)) return { user, sessions: [], complete };
  }
  const { body } = await calls.ask({
    exchange: exchanges.manage,
    key: manageKey('operate', 'disconnect'),
    body: { v: 1, command: 'disconnect', ...(session === undefined ? { user } : { session }) },
    id,
    waitMs,
    missing: 'no balancer has answered; it may be done',
  });
  const refusal = refusalAnswer.safeParse(body);
  if (refusal.success) {
    const { code, message } = refusal.data.error;
    if (isPermanentRefusal(code)) throw new Refusal(400, 'bad-name', message);
    throw new Refusal(503, 'unavailable', `${code}: ${message}`, { 'retry-after': '1' });
  }
  const answer = sessionsAnswer.parse(body);
  const ended = (answer.sessions ?? []).map((each) => each.session);
  return { user, sessions: [...new Set(ended)], complete: (answer.missing ?? []).length === 0 };
}
