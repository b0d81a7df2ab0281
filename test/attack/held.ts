/** One connection of an attacker; times of its own clock. */
export interface Span {
  readonly openedAtMs: number | undefined;
  readonly closedAtMs: number | undefined;
}

/**
 * How many connections the other side held at the same time: those that were open for longer than `refusedWithinMs`, each counted
 * from when it was open itself. What was closed sooner was refused. An attacker that is slow may hear late of what has happened:
 * each counts for no longer than that time, for which it was open surely.
 */
export function heldAtOnce(spans: readonly Span[], refusedWithinMs: number): number {
  const changes = spans.flatMap(({ openedAtMs, closedAtMs = Number.POSITIVE_INFINITY }) =>
    openedAtMs === undefined || closedAtMs - openedAtMs <= refusedWithinMs
      ? []
      : [
          { atMs: openedAtMs, change: 1 },
          { atMs: openedAtMs + refusedWithinMs, change: -1 },
        ],
  );
  changes.sort((a, b) => a.atMs - b.atMs || a.change - b.change);
  let held = 0;
  let most = 0;
  for (const { change } of changes) {
    held += change;
    most = Math.max(most, held);
  }
  return most;
}
