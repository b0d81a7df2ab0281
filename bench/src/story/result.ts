import type { FaultyClient } from '../fleet/messages.js';
import { until } from '../fleet/until.js';
import type { Step } from './level.js';
import type { ScenarioName } from './options.js';
import { type Stage, say } from './stage.js';

/** What `--json` prints; a scenario may add to it. */
export interface StoryResult {
  readonly scenario: ScenarioName;
  readonly held: boolean;
  readonly failures: readonly string[];
  readonly steps: readonly Step[];
  readonly published: number;
  readonly delivered: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  /** How often a session changed its node, by a move or by coming back after a loss. */
  readonly movesPerSession: number;
  readonly clients: number;
  readonly clientsWithFaults: readonly FaultyClient[];
  /** Times that a client was without a socket. */
  readonly disconnects: number;
  readonly gaps: Readonly<Record<string, number>>;
  readonly movesFailed: Readonly<Record<string, number>>;
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly extra: Readonly<Record<string, unknown>>;
}

const arriveTimeoutMs = 30_000;

/** Ends the publishing, waits for what is under way, and sums everything up. */
export async function settle(
  stage: Stage,
  extra: Record<string, unknown> = {},
  { movesPerSession: allowed = Number.POSITIVE_INFINITY, movesBefore = 0, mayDisconnect = false } = {},
): Promise<StoryResult> {
  const { fleet, publisher } = stage;
  const counts = await publisher?.finish();
  const sent = counts?.perUser ?? new Uint32Array(fleet.users.length);
  // A repeat may come late: everything is given a moment more than it takes.
  await until(arriveTimeoutMs, 250, async () => (await fleet.stats()).received >= (counts?.sent ?? 0));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const [check, stats] = [await fleet.check(sent), await fleet.stats()];

  if (check.lost > 0) stage.fail(`${check.lost} events were lost`);
  if (check.repeated > 0) stage.fail(`${check.repeated} events came twice`);
  if (check.reordered > 0) stage.fail(`${check.reordered} events came out of order`);
  if (check.misrouted > 0) stage.fail(`${check.misrouted} events reached another user`);
  if (stats.closed > 0) stage.fail(`${stats.closed} clients were closed for good`);
  if (stats.disconnects > 0 && !mayDisconnect) {
    stage.fail(`${stats.disconnects} times a client was without a connection`);
  }
  if (Object.keys(stats.gaps).length > 0 && !mayDisconnect) {
    stage.fail(`clients were told of gaps: ${JSON.stringify(stats.gaps)}`);
  }
  if (counts !== undefined && counts.failed + (counts.sent - counts.confirmed - counts.failed) > 0) {
    stage.fail(
      `${counts.sent - counts.confirmed} events were not confirmed: ${counts.firstFailure ?? 'in time'}`,
    );
  }
  const movesPerSession =
    Math.round(((stats.moves + stats.returns - movesBefore) / check.clients) * 1_000) / 1_000;
  if (movesPerSession > allowed) {
    stage.fail(`${movesPerSession} moves per session, not ${allowed}`);
  }
  const incidents = stage.failures.length === 0 ? [] : stats.incidents.slice(0, 20);
  for (const { atMs, user, node, what } of incidents) {
    say(`  ${new Date(atMs).toISOString()} ${user} on ${node}: ${what}`);
  }
  return {
    scenario: stage.options.scenario,
    held: stage.failures.length === 0,
    failures: stage.failures,
    steps: stage.steps,
    published: counts?.sent ?? 0,
    delivered: check.delivered,
    lost: check.lost,
    repeated: check.repeated,
    reordered: check.reordered,
    movesPerSession,
    clients: check.clients,
    clientsWithFaults: check.faulty,
    disconnects: stats.disconnects,
    gaps: stats.gaps,
    movesFailed: stats.movesFailed,
    delayMs: {
      p50: round(stats.delays.quantileMs(0.5)),
      p99: round(stats.delays.quantileMs(0.99)),
      max: round(stats.delays.maxMs),
    },
    extra: {
      ...extra,
      arrival: stage.arrival,
      moveMs: { p50: round(stats.moveTimes.quantileMs(0.5)), p99: round(stats.moveTimes.quantileMs(0.99)) },
      clientsByMoves: stats.clientsByMoves,
    },
  };
}

export const round = (value: number): number => Math.round(value * 10) / 10;
