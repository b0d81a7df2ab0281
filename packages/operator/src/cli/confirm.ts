import type { NodeStatus } from '@evenkeel/protocol';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { percent } from './table.js';
import type { Terminal } from './terminal.js';

/** More than this part of the capacity is not taken away without a yes. */
const mostUnasked = 0.5;

/** Codes of what was not done since nobody has said yes. */
export const confirmationCodes = {
  /** There is nobody to ask, and no `--yes`. */
  needed: 'unconfirmed',
  /** The answer was not yes. */
  refused: 'declined',
} as const;

/** The part of the capacity of the active nodes that these have; where none names one, of their weights. */
export function partOf(all: readonly NodeStatus[], names: readonly string[]): number {
  const active = all.filter((n) => n.state === 'active');
  const hasCapacity = active.every((n) => n.capacity !== undefined);
  const sum = (nodes: readonly NodeStatus[]) =>
    nodes.reduce((total, n) => total + (hasCapacity ? (n.capacity ?? 0) : (n.weight ?? 1)), 0);
  const total = sum(active);
  return total === 0 ? 0 : sum(active.filter((n) => names.includes(n.node))) / total;
}

/**
 * Asks before most of the capacity goes.
 * @throws OperatorError one of `confirmationCodes`; nothing was done.
 */
export async function confirmTaking(
  operator: Operator,
  verb: 'drain' | 'cordon',
  names: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const { nodes } = await operator.status();
  const part = partOf(nodes, names);
  if (part <= mostUnasked) return;
  const what = `${names.join(', ')}: ${percent(part)} of the capacity of the active nodes`;
  const answer = await terminal.ask(`${what}. ${verb === 'drain' ? 'Drain' : 'Cordon'} it? [y/N] `);
  if (answer === undefined)
    throw new OperatorError(
      confirmationCodes.needed,
      `${what}; nothing was done: add --yes to ${verb} that much`,
    );
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new OperatorError(confirmationCodes.refused, 'nothing was done');
}
