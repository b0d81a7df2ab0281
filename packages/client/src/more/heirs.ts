import type { MessageFrame } from '@evenkeel/protocol/wire';
import type { Topic } from '../topics/topics.js';

/**
 * A subscription has ended by which messages came that others match too: from now on they come by another, its heir. What the new
 * socket of a move has brought must not be lost, and what was handed on already must not come again.
 */
export function inherit(
  ended: Topic,
  left: readonly Topic[],
  heirOf: (topic: string) => Topic | undefined,
  memory: number,
): void {
  for (const entry of left) remember(entry, ended, memory);
  for (const [at, frame] of ended.kept.entries()) {
    const heir = frame.t === 'message' ? heirOf(frame.topic) : undefined;
    if (!heir) continue;
    heir.hasMore ||= ended.hasMore;
    place(heir, frame as MessageFrame, [...ended.marks].find(([, before]) => at < before)?.[0]);
  }
}

/** Ids alone do not say which topic they are of, so each gets all: an id of another topic repeats nothing. */
function remember(entry: Topic, ended: Topic, memory: number): void {
  const ids = [...idsOf(ended), ...idsOf(entry)].slice(-memory);
  entry.recent = ids;
  entry.next = ids.length % memory;
  if (!ended.seen) return;
  const seen = new Map(ended.seen);
  for (const [id, count] of entry.seen ?? []) seen.set(id, (seen.get(id) ?? 0) + count);
  entry.seen = seen;
  entry.seenAtMs = Math.max(entry.seenAtMs ?? 0, ended.seenAtMs ?? 0);
}

/** Oldest first. */
const idsOf = ({ recent, next }: Topic): string[] => [...recent.slice(next), ...recent.slice(0, next)];

/** `mark`: the next one behind it. */
function place(heir: Topic, frame: MessageFrame, mark: string | undefined): void {
  const at = heir.marks.get(mark ?? '') ?? heir.kept.length;
  heir.kept.splice(at, 0, frame);
  let isBehind = false;
  for (const [name, before] of heir.marks) {
    isBehind ||= name === mark;
    if (isBehind) heir.marks.set(name, before + 1);
  }
}
