import type { NodeStatus } from '@evenkeel/protocol';
import { type Column, percent, whole } from './table.js';
import type { Paint, Style } from './terminal.js';

/** What nodes can be sorted by: names upwards, all else the most first. */
export const sortKeys = ['node', 'load', 'sessions', 'events', 'cpu', 'state'] as const;
export type SortKey = (typeof sortKeys)[number];

/** States that a node can be shown in, the ones to look at first in front. */
export const nodeStates = [
  'gone',
  'suspect',
  'unreachable',
  'low-memory',
  'draining',
  'cordoned',
  'joining',
  'active',
] as const;
const ranked: readonly string[] = nodeStates;

const stateStyles: Record<string, Style> = {
  active: 'green',
  joining: 'cyan',
  cordoned: 'yellow',
  draining: 'yellow',
  unreachable: 'red',
  'low-memory': 'red',
  suspect: 'red',
};

/** An edge that clients do not come to, or whose memory is low, keeps itself cordoned: that is another matter than an operator's cordon. */
export function stateOf(n: NodeStatus): string {
  if (n.state !== 'cordoned') return n.state;
  if (n.reachable === false) return 'unreachable';
  return n.memory?.isLow === true ? 'low-memory' : n.state;
}

/** The part of its capacity that a node uses; undefined where it has not said what that is. */
export const usedPart = (n: NodeStatus): number | undefined =>
  n.capacity === undefined || n.capacity === 0 ? undefined : Math.max(n.connections, n.sessions) / n.capacity;

export interface Selection {
  readonly sort?: SortKey;
  /** Of these states alone. Default: all but `gone`. */
  readonly states?: readonly string[];
}

/** The nodes that are to be shown, in order. */
export function selected(nodes: readonly NodeStatus[], { sort = 'node', states }: Selection): NodeStatus[] {
  const byName = (a: NodeStatus, b: NodeStatus) => a.node.localeCompare(b.node, 'en', { numeric: true });
  const measure = measures[sort];
  return nodes
    .filter((n) => (states === undefined ? n.state !== 'gone' : states.includes(stateOf(n))))
    .sort((a, b) => (measure === undefined ? 0 : measure(b) - measure(a)) || byName(a, b));
}

const measures: Record<SortKey, ((n: NodeStatus) => number) | undefined> = {
  node: undefined,
  // Without a capacity, what its weight gives it stands for that.
  load: (n) => usedPart(n) ?? n.connections / (n.weight ?? 1),
  sessions: (n) => n.sessions,
  events: (n) => n.deliveredPerSecond ?? 0,
  cpu: (n) => n.cpu ?? 0,
  state: (n) => {
    const rank = ranked.indexOf(stateOf(n));
    return rank < 0 ? 0 : ranked.length - rank;
  },
};

/** The columns of a table of nodes. */
export function nodeColumns(
  nodes: readonly NodeStatus[],
  { isWide, paint }: { isWide: boolean; paint: Paint },
): Column<NodeStatus>[] {
  const hasVersions = isWide || new Set(nodes.map((n) => n.version)).size > 1;
  const hasPinned = isWide || nodes.some((n) => (n.pinned ?? 0) > 0);
  return [
    { title: 'NODE', of: (n) => n.node },
    { title: 'STATE', of: stateOf, paint: (text, n) => paint(stateStyles[stateOf(n)] ?? 'dim', text) },
    ...when(hasVersions, { title: 'VERSION', of: (n: NodeStatus) => n.version, spare: 7 }),
    { title: 'CONNECTIONS', of: (n) => whole(n.connections), align: 'right', spare: 5 },
    { title: 'SESSIONS', of: (n) => whole(n.sessions), align: 'right' },
    ...when(
      hasPinned,
      number('PINNED', (n) => n.pinned ?? 0, 2),
    ),
    { title: 'CAPACITY', of: (n) => whole(n.capacity), align: 'right', spare: 6 },
    { title: 'USED', of: (n) => percent(usedPart(n)), align: 'right', spare: 1 },
    ...when(
      isWide,
      number('WEIGHT', (n) => n.weight, 8),
    ),
    { title: 'EVENTS/S', of: (n) => whole(n.deliveredPerSecond), align: 'right', spare: 4 },
    { title: 'P99 MS', of: (n) => whole(n.publishToSocketP99Ms), align: 'right', spare: 9 },
    ...when(
      isWide,
      number('SHAKE MS', (n) => n.handshakeP99Ms, 8),
    ),
    { title: 'CPU', of: (n) => (n.cpu === undefined ? '–' : n.cpu.toFixed(2)), align: 'right', spare: 3 },
    { title: 'URL', of: (n) => n.url, spare: 10 },
  ];
}

/** The value in a list, or an empty list. */
export const when = <T>(condition: boolean, value: T): T[] => (condition ? [value] : []);

const number = (
  title: string,
  of: (n: NodeStatus) => number | undefined,
  spare: number,
): Column<NodeStatus> => ({
  title,
  of: (n) => of(n)?.toLocaleString('en-US') ?? '–',
  align: 'right',
  spare,
});
