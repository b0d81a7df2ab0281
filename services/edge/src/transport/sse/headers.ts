import type { Origins } from '@evenkeel/runtime';

/** Of the stream: nobody in between may keep it, shorten it or hold it up. */
export const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  connection: 'close',
} as const;

/** What lets pages read the answers. They need no cookie: a ticket, or the connection, is what counts. */
export function pageHeaders(
  origins: Pick<Origins, 'isOpen' | 'lists'>,
  origin: string,
): Record<string, string> {
  if (origins.isOpen) return { 'access-control-allow-origin': '*' };
  if (!origins.lists(origin)) return { vary: 'origin' };
  return { 'access-control-allow-origin': origin, vary: 'origin' };
}

/** Of the answer to a page that asks whether it may. */
export const preflightHeaders = {
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'content-type, cache-control, last-event-id',
  'access-control-max-age': '600',
} as const;
