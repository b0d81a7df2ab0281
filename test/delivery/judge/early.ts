import type { Life } from './lives.js';
import type { Fault } from './stream.js';

/** Events that were acknowledged, where the log tells what was handed over, before their handlers had ended. */
export function acknowledgedEarly({ name, handed, dialled }: Life): Fault[] {
  if (handed === undefined) return [];
  const firstAt = new Map<string, number>();
  for (const { what, id, at } of handed)
    if (what === 'event' && id !== undefined && !firstAt.has(id)) firstAt.set(id, at);
  return dialled.flatMap(({ open, frames }) => {
    const waiting: { seq: number; id: string }[] = [];
    const faults: Fault[] = [];
    for (const { isSent, frame, at } of frames) {
      if (!isSent && frame.t === 'event') waiting.push({ seq: Number(frame.seq), id: String(frame.id) });
      if (!isSent || frame.t !== 'ack') continue;
      while (waiting[0] !== undefined && waiting[0].seq <= Number(frame.seq)) {
        const { seq, id } = waiting.shift() as { seq: number; id: string };
        if ((firstAt.get(id) ?? Infinity) <= at) continue;
        faults.push({
          kind: 'early',
          stream: `events of ${name}`,
          at,
          detail: `${open.connection} seq ${seq}: ${id}`,
        });
      }
    }
    return faults;
  });
}
