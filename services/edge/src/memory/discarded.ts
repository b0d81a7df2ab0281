import { collectGarbage } from './collect.js';

/** V8 collects by itself only when there are some 32 MiB of it, which are several times as many bytes read. */
const collectEveryBytes = 4_194_304;

let bytes = 0;

/**
 * A body was read and is not kept. Large ones make garbage faster than V8 minds, outside of its heap, and with it the process would
 * grow beyond what it keeps. Only for bodies that are not wanted: whatever is written is left to V8.
 */
export function discarded(body: Buffer): void {
  bytes += body.length;
  if (bytes < collectEveryBytes) return;
  bytes = 0;
  collectGarbage('minor');
}
