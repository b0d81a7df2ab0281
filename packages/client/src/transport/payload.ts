import type { Payload } from '@evenkeel/protocol/wire';

/** The value a frame carries: JSON or text as it is, other bytes as a `Uint8Array`. */
export function dataOf(frame: Partial<Payload>): unknown {
  if (frame.encoding !== 'base64') return frame.data;
  return Uint8Array.from(atob(String(frame.data)), (c) => c.charCodeAt(0));
}
