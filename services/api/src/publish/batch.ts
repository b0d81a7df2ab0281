import { Refusal } from '@evenkeel/runtime';
import type { Batch, BatchAnswer, Publication, Published } from '../contract/schemas.js';

export interface BatchPorts {
  readonly newId: () => string;
  publish(publication: Publication): Promise<Published>;
  /** What a failure is answered with; what is no refusal then is a fault of ours. */
  refusalOf(error: unknown): unknown;
}

/**
 * Publishes each message, in order, and says of each what became of it.
 * @throws the failure of the first, where none was published
 */
export async function publishBatch({ messages }: Batch, ports: BatchPorts): Promise<BatchAnswer> {
  const named = messages.map((message) => ({ ...message, id: message.id ?? ports.newId() }));
  const settled = await Promise.allSettled(named.map((message) => ports.publish(message)));
  const failures = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (failures.length === settled.length) throw failures[0];
  return {
    results: settled.map((each, n) => {
      if (each.status === 'fulfilled') return each.value;
      const refusal = ports.refusalOf(each.reason);
      if (!(refusal instanceof Refusal)) throw refusal;
      return { id: named[n]?.id ?? '', error: { code: refusal.code, detail: refusal.message } };
    }),
  };
}
