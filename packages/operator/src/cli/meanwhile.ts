import type { StatusAnswer } from '@evenkeel/protocol';
import { isUnreachable, OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';

/** RabbitMQ may be restarted, and another balancer take the lead, while something is waited for, ms. */
const unansweredMs = 60_000;
const againMs = 1_000;

/** Nobody has answered: what was begun goes on all the same. */
export const isUnanswered = (error: unknown): error is OperatorError =>
  error instanceof OperatorError && isUnreachable(error.code);

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
