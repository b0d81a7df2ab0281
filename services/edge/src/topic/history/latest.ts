import type { HistoryLimits, TailRecord } from '@evenkeel/mesh';
import type { HistoryItem } from '../../frame/placed.js';

type Kept = TailRecord<HistoryItem>;

/** How many of the newest messages are looked at for who asks for no past of a topic. */
export function latestCount({ latest, size }: HistoryLimits): number {
  if (latest === 'key') return size;
  return latest === true ? 1 : 0;
}

/** Of these messages, oldest first, what is the newest of its key and no deletion, oldest first. */
export function newestOfKeys(records: readonly Kept[]): Kept[] {
  const newest = new Map<string | undefined, Kept>();
  for (const record of records) {
    const { key } = record.item;
    // So that the order of the map is that of the newest ones.
    newest.delete(key);
    newest.set(key, record);
  }
  return [...newest.values()].filter(({ item }) => item.isDeletion !== true);
}
