import type { SessionsAnswer } from '@evenkeel/protocol';
import { OperatorError } from '../errors.js';
import type { CommonOptions } from './options.js';
import type { CommandPorts } from './ports.js';

/** Edges did not answer in time: what they have, or were to end, may be there still. */
export class Incomplete extends OperatorError {
  /** What the others have answered, and who has not (`missing`). */
  readonly answer: SessionsAnswer;

  /** `rest`: what follows from it, and what to do. */
  constructor(answer: SessionsAnswer, rest: string) {
    super('incomplete', `no answer from ${(answer.missing ?? []).join(', ')}${rest}`);
    this.answer = answer;
  }
}

export const isIncomplete = ({ missing = [] }: SessionsAnswer): boolean => missing.length > 0;

/**
 * Prints what was done, in full or in part; as JSON a part goes with the error.
 * @throws Incomplete where edges were silent; `again` is what to do.
 */
export function showDone(
  { show }: Pick<CommandPorts, 'show'>,
  options: CommonOptions,
  answer: SessionsAnswer,
  { text, again }: { text(): string; again: string },
): void {
  if (!isIncomplete(answer)) return show(options, answer, text);
  if (options.json !== true) show(options, answer, text);
  throw new Incomplete(answer, `: ${again}`);
}
