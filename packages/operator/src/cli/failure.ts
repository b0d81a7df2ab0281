import { ConfigError } from '@evenkeel/runtime';
import { isUnreachable, OperatorError } from '../errors.js';
import { confirmationCodes } from './confirm.js';
import { Incomplete } from './incomplete.js';
import { Unfinished } from './stayed.js';
import type { Terminal } from './terminal.js';

/** What the `evenkeel` command exits with. */
export const exitCodes = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const;

/** What no balancer was asked for, since the command line lacks something. */
const usageCodes: ReadonlySet<string> = new Set(['usage', confirmationCodes.needed]);

/** Says why a command has failed, as JSON alone on standard output where that was asked for. Returns what to exit with. */
export function failed(error: unknown, isJson: boolean, terminal: Pick<Terminal, 'out' | 'err'>): number {
  const failure = asFailure(error);
  // Scripts read one object from standard output whatever happened.
  if (isJson) terminal.out(`${JSON.stringify({ ...besides(error), ok: false, error: failure })}\n`);
  else terminal.err(`evenkeel: ${failure.message} (${failure.code})\n`);
  if (error instanceof ConfigError || usageCodes.has(failure.code)) return exitCodes.usage;
  return isUnreachable(failure.code) ? exitCodes.unreachable : exitCodes.refused;
}

/** What is known all the same. */
function besides(error: unknown): object {
  if (error instanceof Unfinished) return { stayed: error.stayed };
  return error instanceof Incomplete ? error.answer : {};
}

function asFailure(error: unknown): { code: string; message: string } {
  if (error instanceof OperatorError || error instanceof ConfigError) {
    return { code: error.code, message: error.message };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  return { code, message: error instanceof Error ? error.message : String(error) };
}
