import type { EdgeFrame } from '@evenkeel/protocol/wire';

/** The fields that this client relies on, by kind of frame, and what they are like. Others may come and are ignored. */
const fields: Record<EdgeFrame['t'], Record<string, '' | 0>> = {
  welcome: { session: '', node: '', heartbeatMs: 0, window: 0 },
  event: { seq: 0, id: '', name: '' },
  message: { topic: '', id: '' },
  gap: { reason: '' },
  move: { move: '', url: '', ticket: '', deadlineMs: 0, jitterMs: 0 },
  moved: { received: 0 },
  mark: { mark: '' },
  ok: { re: '' },
  error: { code: '', message: '' },
  pong: {},
  expiring: { inMs: 0 },
  unsubscribed: { topic: '', reason: '' },
};

const checks: ReadonlyMap<unknown, readonly (readonly [string, string])[]> = new Map(
  Object.entries(fields).map(([kind, of]) => [
    kind,
    Object.entries(of).map(([name, like]) => [name, typeof like] as const),
  ]),
);

/**
 * The frame that a message of an edge carries, `ignored` for a kind that this client does not know (a newer edge's), or
 * `undefined` for what is no frame.
 */
export function readFrame(text: unknown): EdgeFrame | 'ignored' | undefined {
  let value: unknown;
  try {
    value = typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const frame = value as Record<string, unknown>;
  const expected = checks.get(frame.t);
  if (!expected) return typeof frame.t === 'string' ? 'ignored' : undefined;
  for (const [name, type] of expected) if (typeof frame[name] !== type) return undefined;
  return value as EdgeFrame;
}
