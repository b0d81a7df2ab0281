import type { EdgeFrame } from '@evenkeel/protocol/wire';

/** The fields that this client relies on, by kind of frame. Others may come and are ignored. */
const fields: Record<EdgeFrame['t'], Record<string, 'string' | 'number'>> = {
  welcome: { session: 'string', node: 'string', heartbeatMs: 'number', window: 'number' },
  event: { seq: 'number', id: 'string', name: 'string' },
  message: { topic: 'string', id: 'string' },
  gap: { reason: 'string' },
  move: { move: 'string', url: 'string', ticket: 'string', deadlineMs: 'number', jitterMs: 'number' },
  moved: { received: 'number' },
  mark: { mark: 'string' },
  ok: { re: 'string' },
  error: { code: 'string', message: 'string' },
  pong: {},
};

const checks: ReadonlyMap<unknown, readonly (readonly [string, string])[]> = new Map(
  Object.entries(fields).map(([kind, of]) => [kind, Object.entries(of)]),
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
