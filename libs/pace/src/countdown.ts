/** A wait is made up of so many parts. */
const parts = 20;

/**
 * Calls `onEnd` once this process has run for `ms`. However long it stood still meanwhile (stopped, swapped out, its
 * machine paused), that counts as a twentieth at most: what has come in that time is read before anybody gives up waiting
 * for it. A plain timer would fire first: when a process goes on, timers that are due come before what is to be read.
 * @returns ends the wait
 */
export function countdown(ms: number, onEnd: () => void): () => void {
  let left = parts;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = () => {
    timer = setTimeout(() => {
      left -= 1;
      if (left > 0) next();
      else onEnd();
    }, ms / parts);
  };
  next();
  return () => clearTimeout(timer);
}
