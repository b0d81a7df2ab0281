/** One node, and one session, with all that is known of it. */
import type { NodeAnswer, SessionAnswer } from '@evenkeel/protocol';
import { stateOf, usedPart } from './nodes.js';
import { dateAndTime } from './past.js';
import { counted, duration, percent, table, whole } from './table.js';
import type { Paint } from './terminal.js';
import { sessionName } from './views.js';

type Line = readonly [name: string, value: string | undefined];

/** Names in one column, values in the other; what is not known is left out. */
function listed(lines: readonly Line[]): string[] {
  const known = lines.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

const paragraphs = (...parts: readonly (readonly string[])[]): string =>
  parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');

const titled = (title: string, lines: readonly string[], paint: Paint): string[] =>
  lines.length === 0 ? [] : [paint('bold', title), ...lines.map((line) => `  ${line}`)];

/** The most frequent first. */
const countsIn = (counts: Record<string, number> = {}): string[] =>
  listed(
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => [reason, whole(count)]),
  );

/** As the environment would have it: ports and flags are no amounts. */
const shown = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join(',') : String(value);

/** A node: what it is, its limits, what it has counted, and some of its sessions. */
export function nodeText(answer: NodeAnswer, paint: Paint): string {
  const { node: n, isAnswered, limits = {}, settings = {}, held = [] } = answer;
  const { drain, live = {} } = n;
  const used = usedPart(n);
  const set = Object.entries(live).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  );
  const about = listed([
    ['node', n.node],
    ['state', stateOf(n)],
    ['url', n.url],
    ['version', n.version],
    ['weight', n.weight?.toLocaleString('en-US')],
    ['capacity', used === undefined ? undefined : `${whole(n.capacity)}, ${percent(used)} used`],
    ['set live', set.join(', ')],
    ['connections', whole(n.connections)],
    ['sessions', whole(n.sessions)],
    ['pinned', (n.pinned ?? 0) > 0 ? `${whole(n.pinned)} by the front` : undefined],
    ['unacked', n.unacked === undefined ? undefined : whole(n.unacked)],
    ['events', n.deliveredPerSecond === undefined ? undefined : `${whole(n.deliveredPerSecond)} a second`],
    [
      'p99',
      n.publishToSocketP99Ms === undefined ? undefined : `${whole(n.publishToSocketP99Ms)} ms to socket`,
    ],
    ['handshake', n.handshakeP99Ms === undefined ? undefined : `p99 ${whole(n.handshakeP99Ms)} ms`],
    ['cpu', n.cpu?.toFixed(2)],
    ['drain', drain === undefined ? undefined : [drain.state, drain.why].filter(Boolean).join(': ')],
  ]);
  const limitLines = listed(
    Object.entries(limits).map(([name, limit]) => [name, limit.toLocaleString('en-US')]),
  );
  const settingLines = listed(Object.entries(settings).map(([name, value]) => [name, shown(value)]));
  const names = held.map(({ user, session }) => sessionName(user, session));
  const more = n.sessions - names.length;
  return paragraphs(
    about,
    isAnswered ? [] : ['It has not answered: this is what it has reported last.'],
    titled('RabbitMQ', amqpLines(answer), paint),
    titled('limits', limitLines, paint),
    titled('closes by code', countsIn(answer.closes), paint),
    titled('gaps by reason', countsIn(answer.gaps), paint),
    titled('refused by reason', countsIn(answer.refused), paint),
    titled('moves by outcome', countsIn(answer.movesByOutcome), paint),
    titled('settings', settingLines, paint),
    titled('sessions', more > 0 && names.length > 0 ? [...names, `and ${whole(more)} more`] : names, paint),
  );
}

/** Each connection to RabbitMQ, by what it is for. */
const amqpLines = ({ amqp = {} }: NodeAnswer): string[] =>
  listed(
    Object.entries(amqp).map(([name, figures]) => [
      name,
      [
        figures.isConnected ? 'connected' : 'not connected',
        ...(figures.isBlocked ? ['blocked by an alarm'] : []),
        ...(figures.recovering > 0 ? [`${counted(figures.recovering, 'consumer')} to be made again`] : []),
        counted(figures.channels, 'channel'),
        counted(figures.consumers, 'consumer'),
        `${whole(figures.unconfirmed)} unconfirmed`,
        counted(figures.reconnects, 'reconnect'),
      ].join(', '),
    ]),
  );

/** A session: where it is, how far behind, and what has happened to it. */
export function sessionText(answer: SessionAnswer, nowMs: number, paint: Paint): string {
  const { since, lastAckAt, moves, history } = answer;
  const ago = (atMs: number) => duration(Math.max(0, nowMs - atMs));
  const state = answer.isAttached ? 'attached' : 'away: it has no connection';
  const about = listed([
    ['session', sessionName(answer.user, answer.session)],
    ['user', answer.user],
    ['node', answer.node],
    ['state', since === undefined ? state : `${state}, for ${ago(since)}`],
    ['kind', answer.isBare === true ? 'bare client' : undefined],
    ['queued', answer.queued === undefined ? undefined : counted(answer.queued, 'event')],
    ['unacked', answer.unacked === undefined ? undefined : counted(answer.unacked, 'event')],
    ['last ack', lastAckAt === undefined ? undefined : `${ago(lastAckAt)} ago`],
    ['topics', answer.topics === undefined ? undefined : whole(answer.topics)],
    ['connection', answer.connection],
    ['generation', answer.generation?.toString()],
    ['address', answer.address],
  ]);
  const bold = (text: string) => paint('bold', text);
  const moveTable = table(
    moves,
    [
      { title: 'MOVED AT', of: (m) => dateAndTime(m.at) },
      { title: 'FROM', of: (m) => m.from },
      { title: 'TO', of: (m) => m.to },
      { title: 'OUTCOME', of: (m) => m.outcome },
    ],
    bold,
  );
  const pastTable = table(
    history,
    [
      { title: 'AT', of: (h) => dateAndTime(h.at) },
      { title: 'WHAT', of: (h) => h.kind },
      { title: 'NODE', of: (h) => h.node },
      { title: 'WHY', of: (h) => [h.code, h.reason].filter((part) => part !== undefined).join(' ') },
    ],
    bold,
  );
  return paragraphs(about, moves.length === 0 ? [] : [moveTable], history.length === 0 ? [] : [pastTable]);
}
