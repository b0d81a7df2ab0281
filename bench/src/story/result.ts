import { type DelaySummary, summaryOf } from '../fleet/delays.js';
import type { Deliveries, FaultyClient } from '../fleet/messages.js';
import { until } from '../fleet/until.js';
import type { Step } from './level.js';
import type { ScenarioName } from './options.js';
import { type Stage, say } from './stage.js';

/** What `--json` prints; a scenario may add to it. */
export interface StoryResult extends Deliveries {
  readonly scenario: ScenarioName;
  readonly held: boolean;
  readonly failures: readonly string[];
  readonly steps: readonly Step[];
  readonly published: number;
  /** Confirmed, but no queue took it. */
  readonly unrouted: number;
  /** Each message is delivered once a subscriber. */
  readonly topics: Deliveries & { readonly published: number };
  /** How often a session changed its node, by a move or by coming back after a loss. */
  readonly movesPerSession: number;
  readonly clients: number;
  readonly clientsWithFaults: readonly FaultyClient[];
  /** Times that a client was without a socket. */
  readonly disconnects: number;
  readonly gaps: Readonly<Record<string, number>>;
  readonly movesFailed: Readonly<Record<string, number>>;
  readonly delayMs: DelaySummary;
  readonly extra: Readonly<Record<string, unknown>>;
}

const arriveTimeoutMs = 30_000;

/**
 * Ends the publishing, waits for what is under way, and sums everything up. `mayLose`: what the broker has lost is no fault as long as its
 * client was told.
 */
export async function settle(
  stage: Stage,
  extra: Record<string, unknown> = {},
  {
    movesPerSession: allowed = Number.POSITIVE_INFINITY,
    movesBefore = 0,
    mayDisconnect = false,
    mayLose = false,
  } = {},
): Promise<StoryResult> {
  const { fleet, publisher } = stage;
  const counts = await publisher?.finish();
  const topicCounts = await stage.topics?.finish();
  const sent = counts?.perNumber ?? new Uint32Array(fleet.users.length);
  // A repeat may come late: everything is given a moment more than it takes.
  await until(arriveTimeoutMs, 250, () => fleet.progress.delivered >= (counts?.sent ?? 0));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const [check, stats] = [await fleet.check(sent, topicCounts?.perNumber), await fleet.stats()];

  const { events, topics } = check;
  if (counts === undefined || counts.sent === 0) stage.fail('nothing was published');
  if (counts !== undefined && counts.unrouted > 0 && !mayLose)
    stage.fail(`${counts.unrouted} events reached no queue`);
  for (const [what, { lost, covered, repeated, reordered }] of [
    ['events', events],
    ['topic messages', topics],
  ] as const) {
    if (lost > 0) stage.fail(`${lost} ${what} were lost`);
    // What is published to a topic while its subscriber has no socket is lost, and told.
    const mayBeCovered = what === 'topic messages' ? mayDisconnect : mayLose;
    if (covered > 0 && !mayBeCovered)
      stage.fail(`${covered} ${what} were lost in gaps that clients were told of`);
    if (repeated > 0) stage.fail(`${repeated} ${what} came twice`);
    if (reordered > 0) stage.fail(`${reordered} ${what} came out of order`);
  }
  if (topicCounts !== undefined && (topicCounts.sent === 0 || topics.delivered === 0)) {
    stage.fail('no message of a topic was published, or none came');
  }
  if (check.misrouted > 0) stage.fail(`${check.misrouted} events reached another user`);
  if (stats.closed > 0) stage.fail(`${stats.closed} clients were closed for good`);
  if (stats.disconnects > 0 && !mayDisconnect) {
    stage.fail(`${stats.disconnects} times a client was without a connection`);
  }
  const gaps = { ...stats.gaps, ...stats.topicGaps };
  if (Object.keys(gaps).length > 0 && !mayDisconnect) {
    stage.fail(`clients were told of gaps: ${JSON.stringify(gaps)}`);
  }
  if (counts !== undefined && counts.sent > counts.confirmed && !mayLose) {
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
    unrouted: counts?.unrouted ?? 0,
    ...events,
    topics: { published: topicCounts?.sent ?? 0, ...topics },
    movesPerSession,
    clients: check.clients,
    clientsWithFaults: check.faulty,
    disconnects: stats.disconnects,
    gaps,
    movesFailed: stats.movesFailed,
    delayMs: summaryOf(stats.delays.moved),
    extra: {
      ...extra,
      arrival: stage.arrival,
      moveMs: summaryOf(stats.delays.moveTimes),
      clientsByMoves: stats.clientsByMoves,
    },
  };
}

export const round = (value: number): number => Math.round(value * 10) / 10;
