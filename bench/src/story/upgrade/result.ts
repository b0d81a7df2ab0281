import type { Counts } from '../../fleet/counts.js';
import type { Deliveries } from '../../fleet/messages.js';
import { tableOf } from '../table.js';
import type { CallsOutcome } from './callers.js';
import type { GroupOutcome } from './group.js';

/** How the mesh was after a step. */
export interface UpgradeStep {
  readonly name: string;
  readonly seconds: number;
  readonly nodes: Readonly<Record<string, { readonly version: string; readonly connections: number }>>;
  readonly isPaused: boolean;
}

/** What the clients of one kind went through. */
export interface GroupResult extends GroupOutcome {
  readonly name: string;
  readonly clients: number;
  /** The fewest and the most moves of one session, in each direction. */
  readonly moves: Readonly<Record<string, { readonly fewest: number; readonly most: number }>>;
}

/** What `--json` prints of an upgrade. */
export interface UpgradeResult {
  readonly scenario: 'upgrade';
  readonly held: boolean;
  readonly failures: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly sessions: number;
  readonly steps: readonly UpgradeStep[];
  readonly groups: readonly GroupResult[];
  readonly topics: { readonly published: number };
  readonly calls: CallsOutcome;
}

/** What does not hold of what every client of a group is promised. */
export function faultsOf(group: GroupResult, mostMoves: number): string[] {
  const faults: string[] = [];
  const { name, events, moves } = { ...group, events: group as Deliveries };
  for (const [what, { lost, covered, repeated, reordered }] of [
    ['events', events],
    ['topic messages', group.topics],
  ] as const) {
    if (lost > 0) faults.push(`${lost} ${what} were lost`);
    // A gap that the client was told of is an answer for topics alone.
    if (covered > 0 && what === 'events') faults.push(`${covered} ${what} were lost in gaps`);
    if (repeated > 0) faults.push(`${repeated} ${what} came twice`);
    if (reordered > 0) faults.push(`${reordered} ${what} came out of order`);
  }
  if (group.unconfirmed > 0)
    faults.push(`${group.unconfirmed} events were not confirmed, or reached no queue`);
  if (group.misrouted > 0) faults.push(`${group.misrouted} events reached another user`);
  if (group.disconnects > 0) faults.push(`${group.disconnects} times a client was without a connection`);
  if (sum(group.gaps) > 0) faults.push(`gaps in events: ${JSON.stringify(group.gaps)}`);
  for (const [direction, { fewest, most }] of Object.entries(moves)) {
    if (most > mostMoves)
      faults.push(`${direction}: a session moved ${most} times, not ${mostMoves} at most`);
    if (fewest < 1) faults.push(`${direction}: a session never moved, so its edge was not changed`);
  }
  return faults.map((fault) => `${name}: ${fault}`);
}

/** What does not hold of requests and publishes. */
export function faultsOfCalls(calls: CallsOutcome): string[] {
  const { requests, answered, wrong, publishes, requestsFailed, publishesFailed } = calls;
  const faults: string[] = [];
  if (requests === 0 || publishes === 0) faults.push('nothing was asked, or nothing published, by clients');
  if (wrong > 0) faults.push(`${wrong} requests got the answer of another`);
  if (sum(requestsFailed) > 0) faults.push(`requests failed: ${JSON.stringify(requestsFailed)}`);
  else if (answered + wrong < requests)
    faults.push(`${requests - answered - wrong} requests were not answered`);
  if (sum(publishesFailed) > 0) faults.push(`publishes failed: ${JSON.stringify(publishesFailed)}`);
  if (calls.lost > 0) faults.push(`${calls.lost} publishes did not reach the service`);
  if (calls.repeated > 0) faults.push(`${calls.repeated} publishes reached a service twice`);
  if (calls.reordered > 0) faults.push(`${calls.reordered} publishes reached a service out of order`);
  return faults;
}

const sum = (counts: Readonly<Counts>): number => Object.values(counts).reduce((total, n) => total + n, 0);

/** The result for people. */
export function renderUpgrade(result: UpgradeResult): string {
  const { steps, groups, calls, topics } = result;
  const nodes = [...new Set(steps.flatMap((step) => Object.keys(step.nodes)))];
  const directions = Object.keys(groups[0]?.moves ?? {});
  return [
    `${result.from} (1.0.0) upgraded to ${result.to} (2.0.0), and back (3.0.0); ${result.sessions} sessions`,
    '',
    ...tableOf([
      ['step', 'seconds', ...nodes, 'paused'],
      ...steps.map(({ name, seconds, nodes: seen, isPaused }) => [
        name,
        String(seconds),
        ...nodes.map((node) => {
          const there = seen[node];
          return there === undefined ? '-' : `${there.connections} on ${there.version.replace(/\+.*/, '')}`;
        }),
        isPaused ? 'yes' : 'no',
      ]),
    ]),
    '',
    ...tableOf([
      [
        'clients',
        'number',
        'published',
        'delivered',
        'lost',
        'repeated',
        'reordered',
        'gaps',
        'topics',
        'lost',
        'told',
        'repeated',
        'reordered',
        ...directions,
      ],
      ...groups.map((group) => [
        group.name,
        ...[group.clients, group.published, group.delivered, group.lost, group.repeated, group.reordered].map(
          String,
        ),
        String(sum(group.gaps)),
        ...[group.topics.delivered, group.topics.lost, group.topics.covered].map(String),
        ...[group.topics.repeated, group.topics.reordered].map(String),
        ...directions.map((each) => `${group.moves[each]?.fewest}-${group.moves[each]?.most}`),
      ]),
    ]),
    '',
    `topic messages published ${topics.published}; gaps told of in topics ${JSON.stringify(groups.map(({ topicGaps }) => topicGaps))}`,
    `requests ${calls.requests}, answered ${calls.answered}, failed ${JSON.stringify(calls.requestsFailed)}`,
    `publishes of clients ${calls.publishes}, failed ${JSON.stringify(calls.publishesFailed)}: ` +
      `${calls.lost} lost, ${calls.repeated} repeated, ${calls.reordered} out of order`,
    ...(result.held ? [] : ['', ...groups.flatMap(({ incidents }) => incidents).map((each) => `  ${each}`)]),
    '',
    ...(result.held ? ['All of it held.'] : ['NOT HELD:', ...result.failures.map((each) => `  - ${each}`)]),
    '',
  ].join('\n');
}
