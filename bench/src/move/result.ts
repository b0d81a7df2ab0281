import type { DelaySummary } from '../fleet/delays.js';
import type { Deliveries, FaultyClient } from '../fleet/messages.js';
import type { Pace } from './pace.js';
import { type TlsOutcome, tlsRows } from './tls.js';

/** Everything that was published of one kind, and what became of it. */
export interface Accounts extends Deliveries {
  readonly published: number;
  /** Neither confirmed nor known to be refused. */
  readonly failed: number;
  /** Confirmed, but no queue took it. */
  readonly unrouted: number;
  /** Gaps that clients were told of, by reason. */
  readonly gaps: Readonly<Record<string, number>>;
}

/** The result of a run; `--json` prints it. */
export interface MoveResult {
  readonly fault: string;
  /** What shows that the fault happened; undefined: it did not, or there was none. */
  readonly evidence?: string;
  /** What did not hold; none: success. */
  readonly failures: readonly string[];
  /** Why there were fewer moves than asked for. */
  readonly paceLimits: readonly string[];
  /** What is not as it is by default: of this bench, of the services, of the clients. */
  readonly settings: readonly string[];
  readonly sessions: number;
  readonly controlSessions: number;
  readonly connectedAtEnd: number;
  readonly edges: number;
  readonly seconds: number;
  readonly broker: string;
  readonly moves: number;
  readonly movesFailed: number;
  readonly minMovesPerSession: number;
  /** Over the whole time that was measured. */
  readonly movesPerSecond: number;
  /** While nothing held the moves up on purpose. */
  readonly pace: Pace;
  readonly events: Accounts;
  readonly topics: Accounts;
  readonly repeatedOnWire: number;
  readonly misrouted: number;
  /** Clients that ended for good. */
  readonly closed: number;
  /** Times a session had no socket at all. */
  readonly disconnected: number;
  readonly socketlessMs: { readonly max: number };
  readonly delayMs: {
    readonly control: DelaySummary;
    readonly moved: DelaySummary;
    /** Of moved sessions: events published between `move` and the first moment on the new socket. */
    readonly duringMove: DelaySummary;
    /** Of control sessions, while moves of others were under way. */
    readonly controlDuring: DelaySummary;
    readonly topics: DelaySummary;
    /** Topic messages published during a move of their subscriber. */
    readonly topicsDuring: DelaySummary;
    /** From `moving` to `moved`. */
    readonly move: DelaySummary;
  };
  /**
   * Until everybody is connected and nothing waits: from the fault, or from the end of one that lasts (the clients'
   * faults, which go on for five sixths of the run). Null: no fault, or not within 60 s.
   */
  readonly recoverySeconds: number | null;
  readonly replays: { readonly refused: number; readonly accepted: number };
  /** With TLS: how the certificate was exchanged, and what it costs. */
  readonly tls?: TlsOutcome;
  /** The first clients that did not get everything once and in order. */
  readonly faulty: readonly FaultyClient[];
}

const faultyShown = 10;

const row = (name: string, value: unknown): string => `${name.padEnd(36)}${value}`;
const delay = (d: DelaySummary): string => `p50 ${d.p50}  p99 ${d.p99}  max ${d.max}  (${d.count})`;
const rounded = (value: number): number => Math.round(value * 100) / 100;

/** The result for people. */
export function printable(result: MoveResult): string {
  const { delayMs, pace, events, topics } = result;
  const added = (of: 'p50' | 'p99' | 'max') => rounded(delayMs.moved[of] - delayMs.control[of]);
  return [
    row('fault', result.evidence === undefined ? result.fault : `${result.fault}: ${result.evidence}`),
    row('not as by default', result.settings.join('; ') || 'nothing'),
    row(
      'sessions moved / never moved',
      `${result.sessions} / ${result.controlSessions} on ${result.edges} edges, RabbitMQ ${result.broker}`,
    ),
    row('connected in the end', result.connectedAtEnd),
    row('moves done / failed', `${result.moves} / ${result.movesFailed}`),
    row('moves a second', result.movesPerSecond),
    row(
      'pace, asked for / made',
      `${pace.askedPerSecond} / ${Math.round(pace.perSecond)}${result.paceLimits.map((why) => `; ${why}`).join('')}`,
    ),
    row('processors used', `${Math.round(pace.processors * 100)} %`),
    row('moves of the least moved session', result.minMovesPerSession),
    ...accounts('events', events),
    ...(topics.published > 0 ? accounts('topic messages', topics) : []),
    row('repeated on the wire, misrouted', `${result.repeatedOnWire}, ${result.misrouted}`),
    row('longest time without a socket, ms', result.socketlessMs.max),
    row('delay of control sessions, ms', delay(delayMs.control)),
    row('  while others move', delay(delayMs.controlDuring)),
    row('delay of moved sessions, ms', delay(delayMs.moved)),
    row('  published during a move', delay(delayMs.duringMove)),
    row('  added to control sessions’', `p50 ${added('p50')}  p99 ${added('p99')}  max ${added('max')}`),
    ...(topics.published > 0
      ? [
          row('delay of topic messages, ms', delay(delayMs.topics)),
          row('  published during a move', delay(delayMs.topicsDuring)),
        ]
      : []),
    row('time of a move, ms', delay(delayMs.move)),
    row('seconds to recover', result.recoverySeconds ?? '-'),
    ...(result.tls === undefined ? [] : tlsRows(result.tls, row)),
    '',
    ...verdict(result),
  ].join('\n');
}

function accounts(what: string, of: Accounts): string[] {
  const gaps = Object.entries(of.gaps).map(([reason, count]) => `${count} ${reason}`);
  return [
    row(`${what} published`, `${of.published} (${of.failed} not confirmed, ${of.unrouted} unrouted)`),
    row('  delivered', of.delivered),
    row('  lost / repeated / reordered', `${of.lost} / ${of.repeated} / ${of.reordered}`),
    row('  gaps told', gaps.length === 0 ? 'none' : `${gaps.join(', ')}: ${of.covered} messages in them`),
  ];
}

function verdict({ failures, faulty }: MoveResult): string[] {
  if (failures.length === 0) return ['All of it held.'];
  return [
    'NOT HELD:',
    ...failures.map((each) => `  - ${each}`),
    ...faulty.slice(0, faultyShown).flatMap(described),
  ];
}

function described(client: FaultyClient): string[] {
  const { user, node, topic, missing, lost, repeated, reordered, history } = client;
  const of = topic === undefined ? '' : `, ${topic}`;
  return [
    `    ${user} on ${node}${of}: ${lost} lost (${missing.join(', ')}), ${repeated} repeated, ${reordered} out of order`,
    ...history.map((line) => `      ${line}`),
  ];
}
