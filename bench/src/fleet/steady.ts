const tickMs = 5;

/**
 * Calls `send` at a steady pace until it is stopped; not while `mayPass` is false. What could not be sent in its time is
 * left out, not made up for in a burst. Returns how to stop.
 */
export function steadily(ratePerSecond: number, mayPass: () => boolean, send: () => void): () => void {
  const begunAtMs = performance.now();
  let passed = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begunAtMs) / 1_000) * ratePerSecond);
    while (passed < due && mayPass()) {
      passed++;
      send();
    }
    passed = Math.max(passed, due);
  }, tickMs);
  return () => clearInterval(timer);
}
