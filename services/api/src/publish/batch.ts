import { rawItems, rawMember } from '@evenkeel/mesh';
import { Refusal } from '@evenkeel/runtime';
import type { Batch, BatchAnswer, Published } from '../contract/schemas.js';
import { type Ready, ready, type Sent } from './publish.js';

export interface BatchPorts {
  readonly newId: () => string;
  send(message: Ready): Promise<Sent>;
  /** What a failure is answered with; what is no refusal then is a fault of ours. */
  refusalOf(error: unknown): unknown;
}

/**
 * Publishes each message, in order, and says of each what became of it. `text`: the batch as it was written.
 * @throws Refusal where one cannot be published, before any is; the failure of the first, where none was published
 */
export async function publishBatch(
  { messages }: Batch,
  text: string,
  ports: BatchPorts,
): Promise<BatchAnswer> {
  const texts = rawItems(rawMember(text, 'messages')?.text ?? '[]');
  const all = messages.map((message, n) => ready(message, texts[n]?.text ?? '{}', ports.newId));
  const outcomes: Promise<Published>[] = [];
  for (const message of all) {
    try {
      outcomes.push((await ports.send(message)).confirmed);
    } catch (error) {
      // What follows would come before it, or wait as long in vain.
      while (outcomes.length < all.length) outcomes.push(Promise.reject(error));
      break;
    }
  }
  const settled = await Promise.allSettled(outcomes);
  const failures = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (failures.length === settled.length) throw failures[0];
  return {
    results: settled.map((each, n) => {
      if (each.status === 'fulfilled') return each.value;
      const refusal = ports.refusalOf(each.reason);
      if (!(refusal instanceof Refusal)) throw refusal;
      return { id: all[n]?.id ?? '', error: { code: refusal.code, detail: refusal.message } };
    }),
  };
}

/** Whether a repeat of the batch would do nothing more. */
export const isComplete = ({ results }: BatchAnswer): boolean => results.every((each) => !('error' in each));
