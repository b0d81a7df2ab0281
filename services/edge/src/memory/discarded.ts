import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8 collects by itself only when there are some 32 MiB of it, which are several times as many bytes read. */
const collectEveryBytes = 4_194_304;

type Collect = (options: { type: 'minor' }) => void;
let collect: Collect | undefined;
let bytes = 0;

/**
 * A body was read and is not kept. Large ones make garbage faster than V8 minds, outside of its heap, and with it the process would
 * grow beyond what it keeps. Only for bodies that are not wanted: whatever is written is left to V8.
 */
export function discarded(body: Buffer): void {
  bytes += body.length;
  if (bytes < collectEveryBytes) return;
  bytes = 0;
  collect ??= exposed();
  collect({ type: 'minor' });
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  const gc: Collect = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return gc;
}
