import { count, counted } from './format.js';
import type { Node, Status } from './types.js';

/** Green: nothing to do. Busy: something runs. Amber: not as it should be. Red: clients are affected, or nothing is known. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad';

const isSilent = ({ state }: Node): boolean => state === 'suspect' || state === 'gone';
export const isTrouble = (node: Node): boolean =>
  isSilent(node) ||
  node.reachable === false ||
  node.memory?.isLow === true ||
  node.isClockOff === true ||
  node.drain?.state === 'stayed' ||
  node.amqp !== undefined;

export function toneOf(status: Status): Tone {
  const { nodes } = status;
  if (nodes.length === 0 || status.silentMs !== undefined || nodes.every(isSilent)) return 'bad';
  if (nodes.some(isSilent)) return 'bad';
  if (nodes.some(isTrouble) || status.isPaused === true) return 'warn';
  return status.plan?.id ? 'busy' : 'good';
}

/** The balancer's own sentence; of one that is too old to say it, what can be seen. */
export function sentenceOf(status: Status): string {
  if (status.sentence !== undefined) return status.sentence;
  const silent = status.nodes.filter(isSilent).length;
  if (silent > 0) return `${counted(silent, 'node')} not answering.`;
  if (status.plan?.id) return `${count(status.plan.done ?? 0)} of ${count(status.plan.total ?? 0)} moved.`;
  return status.isPaused ? 'Rebalancing is paused.' : (status.why ?? 'Nothing runs.');
}

/** What a plan would leave on each node that it touches. */
export function afterOf(plan: {
  moves?: readonly { from: string; to: string; count: number }[] | undefined;
}) {
  const change = new Map<string, number>();
  for (const { from, to, count: n } of plan.moves ?? []) {
    change.set(from, (change.get(from) ?? 0) - n);
    change.set(to, (change.get(to) ?? 0) + n);
  }
  return change;
}
