import type { EdgeFrame } from '@evenkeel/protocol/wire';

/** The fields that this client relies on, by kind of frame, and what they are like. Others may come and are ignored. */
const fields: Partial<Record<EdgeFrame['t'], Record<string, '' | 0>>> & { __proto__: null } = {
  __proto__: null,
  welcome: { session: '', node: '', heartbeatMs: 0, window: 0 },
  event: { seq: 0, id: '', name: '' },
  message: { topic: '', id: '' },
  gap: { reason: '' },
  move: { move: '', url: '', ticket: '', deadlineMs: 0, jitterMs: 0 },
  moved: { received: 0 },
  mark: { mark: '' },
  ok: { re: '' },
  error: { code: '', message: '' },
  expiring: { inMs: 0 },
  unsubscribed: { topic: '', reason: '' },
};

/**
 * The frame that a message of an edge carries, also of a kind that is not known here (a newer edge's, or a part's), or `undefined` for
 * what is no frame.
 */
export function readFrame(text: unknown): EdgeFrame | undefined {
  let value: unknown;
  try {
    value = typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const frame = value as Record<string, unknown>;
  if (typeof frame.t !== 'string') return undefined;
  const like = fields[frame.t as EdgeFrame['t']];
  for (const name in like) if (typeof frame[name] !== typeof like[name]) return undefined;
  return value as EdgeFrame;
}
