import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Something that must not outlive this process, however it ends. */
export type Guarded =
  | { readonly kind: 'group'; readonly pid: number }
  | { readonly kind: 'container'; readonly engine: string; readonly name: string }
  | { readonly kind: 'path'; readonly path: string }
  /** A table of nftables, of the family `ip`. */
  | { readonly kind: 'table'; readonly name: string };

let guard: ChildProcess | undefined;

/**
 * Hands something to the guard: a small process of its own that kills and removes what it holds when
 * this process is gone, even by SIGKILL. Returns how to take it back.
 */
export function watchOver(thing: Guarded): () => void {
  tell('hold', thing);
  let isHeld = true;
  return () => {
    if (isHeld) tell('release', thing);
    isHeld = false;
  };
}

/** Ends and removes at once all that is still watched over; resolves when that is done. */
export async function endAllWatched(): Promise<void> {
  const leaving = guard;
  if (leaving === undefined) return;
  leaving.ref();
  leaving.stdin?.end();
  await once(leaving, 'exit');
}

function tell(verb: 'hold' | 'release', thing: Guarded): void {
  guard ??= startGuard();
  guard.stdin?.write(`${JSON.stringify({ verb, thing })}\n`);
}

function startGuard(): ChildProcess {
  const main = fileURLToPath(new URL('./guard-main.js', import.meta.url));
  // A session of its own, so that Ctrl-C in the terminal does not reach it.
  const child = spawn(process.execPath, [main], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.on('exit', () => {
    guard = undefined;
  });
  child.stdin.on('error', () => undefined);
  child.unref();
  // The pipe must not keep this process alive; the guard reads its end as our death.
  (child.stdin as unknown as { unref?: () => void }).unref?.();
  return child;
}
