import type { StreamRecord } from '@evenkeel/broker';
import { exchanges, historyHeader, lossMarks } from '@evenkeel/protocol';

/** Whether messages went past the stream from this record on, or do not any more; undefined: it says neither. */
export function lossMarkOf({ exchange, properties }: StreamRecord): keyof typeof lossMarks | undefined {
  if (exchange !== exchanges.replies) return undefined;
  const value = properties.headers[historyHeader];
  if (value === lossMarks.begin) return 'begin';
  return value === lossMarks.end ? 'end' : undefined;
}
