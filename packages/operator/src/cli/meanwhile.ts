import type { StatusAnswer } from '@evenkeel/protocol';
import { isUnreachable, OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';

/** RabbitMQ may be restarted, and another balancer take the lead, while something is waited for, ms. */
const unansweredMs = 60_000;
const againMs = 1_000;

/** Nobody has answered: what was begun goes on all the same. */
export const isUnanswered = (error: unknown): error is OperatorError =>
  error instanceof OperatorError && isUnreachable(error.code);

/** One that has just begun to lead, or hears nobody, takes a node that it does not know for none. An older one does not say so. */
const knowsAll = ({ isComplete }: StatusAnswer): boolean => isComplete !== false;

/**
 * The status, for who waits for something that goes on without being looked at. `pause` rejects where it is not waited for any more.
 * @throws OperatorError the operator's own; that nobody answers after a minute of it.
 */
export async function statusMeanwhile(
  operator: Pick<Operator, 'status'>,
  pause: (ms: number) => Promise<void>,
  now: () => number,
): Promise<StatusAnswer> {
  const endsAtMs = now() + unansweredMs;
  for (;;) {
    try {
      return await operator.status();
    } catch (error) {
      if (!isUnanswered(error) || now() >= endsAtMs) throw error;
    }
    await pause(againMs);
  }
}

/**
 * The same, for who draws conclusions from what is not there: of a balancer that knows every node.
 * @throws OperatorError also `unfinished`: none does after a minute of it.
 */
export async function wholeStatusMeanwhile(
  operator: Pick<Operator, 'status'>,
  pause: (ms: number) => Promise<void>,
  now: () => number,
): Promise<StatusAnswer> {
  // Who takes the lead after a minute without an answer has a minute of its own.
  for (let waitedMs = 0; ; waitedMs += againMs) {
    const status = await statusMeanwhile(operator, pause, now);
    if (knowsAll(status)) return status;
    if (waitedMs >= unansweredMs)
      throw new OperatorError(
        'unfinished',
        'the balancer has not heard every node for a minute, so it is not known how it ended (evenkeel status says more)',
      );
    await pause(againMs);
  }
}
