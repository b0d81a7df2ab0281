import { type EdgeReply, fromUid, manageErrors, type SessionView } from '@evenkeel/protocol';
import { type Answer, ManageError } from './answers.js';
import { carried } from './carried.js';
import type { CommandContext, Of } from './context.js';
import type { Found } from './edge-queries.js';

/** Sessions of one answer whose queues are looked at, at most. */
const mostLooks = 100;

/** Where a user's sessions are. */
export async function where(
  user: string,
  c: Pick<CommandContext, 'ask' | 'queued'>,
): Promise<Extract<Answer, { ok: true }>> {
  const uid = carried(user);
  const found = await c.ask({ command: 'where', uid });
  const all = listedIn(found);
  const looked = await Promise.all(
    all.slice(0, mostLooks).map(async (each) => withQueue(each, await c.queued(uid, each.session))),
  );
  return { ok: true, user, sessions: [...looked, ...all.slice(mostLooks)], ...asked(found) };
}

/** Ends a user's sessions, or one. */
export async function disconnect(
  { user, session }: { user?: string | undefined; session?: string | undefined },
  c: Pick<CommandContext, 'ask'>,
): Promise<Extract<Answer, { ok: true }>> {
  if (session !== undefined) {
    const found = await c.ask({ command: 'disconnect', session });
    return { ok: true, session, sessions: listedIn(found), ...asked(found) };
  }
  const uid = carried(user ?? '');
  const found = await c.ask({ command: 'disconnect', uid });
  return { ok: true, user, sessions: listedIn(found), ...asked(found) };
}

/** Ends a user's sessions, or one, or everybody's; their clients come back through the gateway. @throws ManageError `bad-command` */
export async function sendBack(
  { user, session, everybody, ratePerSecond }: Omit<Of<'send-back'>, 'command'>,
  c: Pick<CommandContext, 'ask'>,
): Promise<Extract<Answer, { ok: true }>> {
  if ([user, session, everybody].filter((named) => named !== undefined).length !== 1)
    throw new ManageError(
      manageErrors.badCommand,
      'name a user, a session or everybody: {"command": "send-back", "user": …}',
    );
  const found = await c.ask({
    command: 'send-back',
    ...(user !== undefined && { uid: carried(user) }),
    ...(session !== undefined && { session }),
    ...(ratePerSecond !== undefined && { ratePerSecond }),
  });
  return { ok: true, user, session, sessions: listedIn(found), ...asked(found) };
}

/** The sessions that edges have named. */
const listedIn = ({ replies }: Pick<Found, 'replies'>): SessionView[] =>
  replies.flatMap(({ sessions }) => sessions.map(sessionView));

/** One that an edge has named, as operators see it. */
export function sessionView({ uid, ...rest }: EdgeReply['sessions'][number]): SessionView {
  return {
    ...rest,
    ...(uid === undefined ? {} : { user: fromUid(uid) }),
    isAttached: rest.isAttached ?? true,
  };
}

/** The same with what waits for it. */
export const withQueue = <T extends object>(view: T, queued: number | undefined): T & { queued?: number } =>
  queued === undefined ? view : { ...view, queued };

const asked = ({ answered, missing }: Found) => ({ answered, missing });
