import { type EdgeReply, fromUid, maxHistory, maxMovesInReply, maxPastInReply } from '@evenkeel/protocol';
import { type Answer, ManageError, nodeAnswer } from './answers.js';
import type { CommandContext, Of } from './context.js';
import type { Found } from './edge-queries.js';
import { short } from './status.js';
import { sessionView, withQueue } from './users.js';

/** One node, and what its edge says of itself. */
export async function node(command: Of<'node'>, c: CommandContext): Promise<Answer> {
  const n = c.balancer.view.get(command.node, c.nowMs);
  if (n === undefined) {
    const known = c.balancer.view.nodes(c.nowMs).map((each) => each.node);
    throw new ManageError(
      'unknown-node',
      `there is no node ${command.node}; known nodes: ${known.join(', ') || 'none'}`,
    );
  }
  const { replies } = await c.ask({ command: 'describe' }, n.node);
  const reply = replies.find(({ boot, about }) => boot === n.stats.boot && about !== undefined);
  const shown = { ok: true, node: nodeAnswer(n, c.balancer.drainOf(n)) } as const;
  if (reply === undefined) return { ...shown, isAnswered: false };
  return { ...shown, isAnswered: true, ...reply.about, held: reply.sessions.map(sessionView) };
}

/** One session, wherever it is. @throws ManageError `unknown-session` */
export async function session(reference: string, c: Pick<CommandContext, 'ask' | 'queued'>): Promise<Answer> {
  const found = await c.ask({ command: 'inspect', session: reference });
  const here = newest(found);
  if (here?.uid === undefined) throw new ManageError('unknown-session', missed(reference, found));
  const { uid, session: sid } = here;
  const key = `${uid}.${sid}`;
  const { history, moves } = pastOf(key, found);
  const view = withQueue(sessionView(here), await c.queued(uid, sid));
  return { ...view, ok: true, user: fromUid(uid), moves, history };
}

/** Of several that are called so: the one with a connection, and of these the newest. */
function newest({ replies }: Found): EdgeReply['sessions'][number] | undefined {
  const rank = ({ isAttached, generation = 0 }: EdgeReply['sessions'][number]) =>
    isAttached === false ? generation : generation + Number.MAX_SAFE_INTEGER / 2;
  return replies.flatMap(({ sessions }) => sessions).sort((a, b) => rank(b) - rank(a))[0];
}

function pastOf(key: string, { replies }: Pick<Found, 'replies'>) {
  const here = replies.flatMap(({ node: at, past }) => (past?.session === key ? [{ at, past }] : []));
  const newestFirst = (a: { at: number }, b: { at: number }) => b.at - a.at;
  const history = here.flatMap(({ at, past }) => past.events.map((event) => ({ ...event, node: at })));
  const moves = here.flatMap(({ at, past }) => past.moves.map((move) => ({ ...move, from: at })));
  return {
    history: history.sort(newestFirst).slice(0, maxPastInReply),
    moves: moves.sort(newestFirst).slice(0, maxMovesInReply),
  };
}

/** That there is none, and what is known of it all the same. */
function missed(reference: string, found: Found): string {
  const pasts = found.replies.flatMap(({ node: at, past }) =>
    past === undefined ? [] : past.events.map((event) => ({ ...event, node: at })),
  );
  const last = pasts.sort((a, b) => b.at - a.at)[0];
  const was =
    last === undefined
      ? ''
      : `; the last of it was ${last.kind} on ${last.node} at ${new Date(last.at).toISOString()}`;
  const silent = found.missing.length === 0 ? '' : `; ${found.missing.join(', ')} did not answer, ask again`;
  return `no edge has a session ${reference}${was}${silent}`;
}

/** Plans that are over, newest first. */
export function history({ limit = maxHistory, before }: Of<'history'>, { balancer }: CommandContext): Answer {
  const plans = balancer.history.map(short).reverse();
  const at = before === undefined ? -1 : plans.findIndex(({ id }) => id === before);
  if (before !== undefined && at < 0)
    throw new ManageError('unknown-plan', `plan ${before} is not among the last ${maxHistory}`);
  return { ok: true, plans: plans.slice(at + 1, at + 1 + limit) };
}

/** What has happened since. */
export function events({ after, limit }: Of<'events'>, c: CommandContext): Answer {
  const { events: all, last } = c.events.after(after, limit);
  return { ok: true, events: all, last: last ?? null };
}
