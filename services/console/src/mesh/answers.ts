import { isPermanentRefusal } from '@evenkeel/protocol';
import { Refusal } from '@evenkeel/runtime';
import { isUnreachable, OperatorError } from 'evenkeel';

/** The answer to whoever asked for a command that has failed. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof OperatorError)) return error;
  const { code, message } = error;
  if (isUnreachable(code)) return new Refusal(503, code, message, { 'retry-after': '1' });
  return new Refusal(statusOf(code), code, message);
}

function statusOf(code: string): number {
  if (code === 'rate-limited') return 429;
  if (code === 'forbidden') return 403;
  if (isPermanentRefusal(code)) return 400;
  return code.startsWith('unknown-') ? 404 : 409;
}
