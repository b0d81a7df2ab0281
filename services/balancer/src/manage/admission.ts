import type { Delivery } from '@evenkeel/broker';
import { isSentTo } from '@evenkeel/mesh';
import { exchanges, type ManageCommand, manageErrors, manageKey, manageKind } from '@evenkeel/protocol';
import { type Answer, refusal } from './answers.js';

/** Who a command without a `user_id` is: in the audit, and in the setting that lists who may operate. */
const anonymous = 'anonymous';
/** Alone it may say for whom it commands. */
const consoleUser = 'console';

/** Who sends a command, as the broker has validated it, and for whom. */
export interface Sender {
  readonly user: string;
  readonly onBehalfOf?: string;
}

/** Who sends this. `onBehalfOf` counts from the console's user only: anybody else would speak in another's name. */
export function senderOf({ properties }: Pick<Delivery, 'properties'>, command?: ManageCommand): Sender {
  const user = properties.userId ?? anonymous;
  const onBehalfOf = user === consoleUser ? command?.onBehalfOf : undefined;
  return { user, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) };
}

/** Who it is, for a plan's `by` and `why`. */
export const nameOf = ({ user, onBehalfOf }: Sender): string =>
  onBehalfOf === undefined ? user : `${onBehalfOf} (${user})`;

/**
 * Why this command may not come this way; undefined when it may. On the exchange the broker has checked the key against the
 * sender's topic permission, so the key has to be the command's own. By another way everybody whom the broker lets write
 * there may look; to operate takes a user that is named here.
 */
export function refuseEntry(
  delivery: Pick<Delivery, 'exchange' | 'key' | 'properties'>,
  { command }: ManageCommand,
  operators: ReadonlySet<string>,
): Answer | undefined {
  const kind = manageKind(command);
  const key = manageKey(kind, command);
  const isByKey = delivery.exchange === exchanges.manage;
  if (isByKey && !isSentTo(delivery, exchanges.manage))
    return refusal('forbidden', `${command} was sent on as a dead letter, past what its sender may publish`);
  if (isByKey && delivery.key !== key) {
    return refusal(
      manageErrors.badCommand,
      `${command} came with key ${clip(delivery.key)}; its key is ${key}`,
    );
  }
  if (kind === 'view') return undefined;
  const { userId } = delivery.properties;
  if (operators.has(userId ?? anonymous)) return undefined;
  if (userId === undefined) {
    return refusal(
      'forbidden',
      `${command} changes something: send it with user_id, the user that you log in as`,
    );
  }
  if (isByKey) return undefined;
  return refusal(
    'forbidden',
    `${clip(userId)} may not ${command} by the queue: send it to the exchange ${exchanges.manage} with key ${key}`,
  );
}

const clip = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
