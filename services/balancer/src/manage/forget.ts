import type { Answer } from './answers.js';
import type { CommandContext } from './context.js';
import type { Denying } from './denying.js';
import { disconnect } from './users.js';

/** What the mesh cannot, or must not, remove. Each says where it is, for how long, and whose it is. */
const notOurs = [
  'the stream mesh.denials: records of earlier denials go once they are 30 days old; delete that queue to have them go now, the balancer writes those in force again',
  'queues of your applications: events, requests and messages of mesh.undelivered, mesh.unrouted, mesh.sessions and mesh.audit that they have bound',
  'mesh.manage.dead: commands that name the user and could not be answered, at most a day',
  'the memory of edges (what has happened to sessions) and of the leading balancer (commands and answers that name the user): until newer ones take its place, or the process ends',
  'logs of gateways, edges and balancers, as long as you keep them',
  'tokens and tickets: a token lets the user in again until it expires; deny the user, or take the token back',
  'the user at your identity provider and in your applications',
] as const;

export interface ForgetContext extends Pick<CommandContext, 'ask'> {
  readonly denying: Pick<Denying, 'forget'>;
}

/** Ends the user's sessions with all that waits for them, and every denial; says what is left. */
export async function forget(user: string, c: ForgetContext): Promise<Answer> {
  const { denials } = await c.denying.forget(user);
  return { ...(await disconnect({ user }, c)), denials, left: [...notOurs] };
}
