import { type ManageCommand, manageErrors, manageKind } from '@evenkeel/protocol';
import { type Answer, ManageError } from './answers.js';
import { leaveBroker } from './brokers.js';
import type { CommandContext, Of } from './context.js';
import { cordon, drain, uncordon } from './cordoning.js';
import { forget } from './forget.js';
import { dryRun, rebalance, steer, undo } from './planning.js';
import { set, settings } from './setting.js';
import { status } from './status.js';
import { disconnect, sendBack, where } from './users.js';
import { events, history, node, session } from './views.js';

/** What they change is not in the saved state. */
const stateless: ReadonlySet<ManageCommand['command']> = new Set([
  'disconnect',
  'send-back',
  'deny',
  'allow',
  'forget',
  'leave-broker',
]);

/** Carries out one command. @throws ManageError what is wrong with it. */
export async function execute(command: ManageCommand, c: CommandContext): Promise<Answer> {
  const { held } = c.balancer;
  const isFree = stateless.has(command.command) || manageKind(command.command) === 'view';
  if (held !== undefined && !isFree) throw new ManageError('newer-state', held);
  switch (command.command) {
    case 'status':
      return status(c);
    case 'plan':
      return dryRun(command, c);
    case 'rebalance':
      return rebalance(command, c);
    case 'drain':
      return drain(command, c);
    case 'cordon':
      return cordon(command, c);
    case 'uncordon':
      return uncordon(command, c);
    case 'leave-broker':
      return leaveBroker(command, c);
    case 'pause':
    case 'resume':
    case 'abort':
      return steer(command, c);
    case 'undo':
      return undo(command, c);
    case 'where':
      return where(command.user, c);
    case 'disconnect':
      return disconnect(oneOf(command), c);
    case 'send-back':
      return sendBack(command, c);
    case 'node':
      return node(command, c);
    case 'session':
      return session(command.session, c);
    case 'history':
      return history(command, c);
    case 'events':
      return events(command, c);
    case 'settings':
      return settings(c);
    case 'set':
      return set(command, c);
    case 'deny':
      return c.denying.deny(oneOf(command));
    case 'allow':
      return c.denying.allow(oneOf(command));
    case 'denials':
      return c.denying.list();
    case 'forget':
      return forget(command.user, c);
  }
}

function oneOf<C extends Of<'deny'> | Of<'allow'> | Of<'disconnect'>>({
  command,
  v: _v,
  onBehalfOf: _by,
  ...rest
}: C) {
  if ((rest.user === undefined) !== (rest.session === undefined)) return rest;
  throw new ManageError(
    manageErrors.badCommand,
    `name a user or a session: {"command": "${command}", "user": …}`,
  );
}
