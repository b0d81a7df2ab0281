import { isHere, type NodeView, takersAmong } from './cluster/state.js';

/** Of all nodes together. */
export interface Totals {
  readonly sessions: number;
  readonly eventsPerSecond: number;
  /** Of the slowest node; absent: nothing was measured. */
  readonly publishToSocketP99Ms?: number;
  /** Absent: no edge says. */
  readonly gapsLastHour?: number;
}

export function totalsOf(nodes: readonly NodeView[], gapsLastHour: number | undefined): Totals {
  let sessions = 0;
  let events = 0;
  let slowestMs: number | undefined;
  for (const { stats } of nodes.filter(isHere)) {
    sessions += stats.sessions;
    events += stats.deliveredPerSecond;
    const { publishToSocketP99Ms: ms } = stats;
    if (ms !== undefined) slowestMs = Math.max(slowestMs ?? 0, ms);
  }
  return {
    sessions,
    eventsPerSecond: Math.round(events * 10) / 10,
    ...(slowestMs === undefined ? {} : { publishToSocketP99Ms: slowestMs }),
    ...(gapsLastHour === undefined ? {} : { gapsLastHour }),
  };
}

/** Sessions by weight on the fullest of the nodes that take any, by their mean; undefined: there is no such node, or nobody is there. */
export function maxOverMean(nodes: readonly NodeView[]): number | undefined {
  let sessions = 0;
  let weight = 0;
  let most = 0;
  for (const { stats } of takersAmong(nodes)) {
    sessions += stats.sessions;
    weight += stats.weight;
    most = Math.max(most, stats.sessions / stats.weight);
  }
  if (sessions === 0 || weight === 0) return undefined;
  return Math.round((most / (sessions / weight)) * 1_000) / 1_000;
}
