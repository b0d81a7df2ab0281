import type { History as HistoryOf } from '@evenkeel/access';
import { History, type IsEdge, type Mesh } from '@evenkeel/mesh';
import type { Log } from '@evenkeel/runtime';
import { type HistoryItem, historyItem } from '../../frame/placed.js';
import { HistoryChecks } from './checks.js';
import { HistoryTopics } from './topics.js';

export interface EdgeHistoryOptions {
  readonly config: {
    readonly node: string;
    readonly maxEventBytes: number;
    readonly historyTailMessages: number;
    readonly historyTailBytes: number;
    readonly historyStreamBytes: number;
  };
  readonly mesh: Pick<Mesh, 'consuming' | 'publisherBeside' | 'ownQueue'>;
  readonly namespaces: ReadonlyMap<string, HistoryOf>;
  /** Whose word on the sender of a message counts. */
  readonly isEdge: IsEdge;
  /** Sends a frame to every local subscriber of the topic, and of patterns that match it. `from`: the session that it is from. */
  deliver(topic: string, frame: string, from: string | undefined): void;
  /** Whether bindings of `mesh.events` have gone. */
  hasLostBinding(): Promise<boolean>;
  /** Messages of these patterns may be missing. */
  onPatternsBroken(isMissing: (name: string) => boolean): void;
  now(): number;
  readonly log: Log;
}

/** What an edge has of the histories of topics. */
export interface EdgeHistory {
  readonly topics: HistoryTopics;
  readonly history: History<HistoryItem>;
  readonly checks: { readonly missing: number };
  start(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  readiness(): true | string;
}

/** The streams of the namespaces that have a history, joined to the topics of this edge. */
export function edgeHistory(options: EdgeHistoryOptions): EdgeHistory {
  const { config, mesh, namespaces, isEdge, deliver, hasLostBinding, onPatternsBroken, now, log } = options;
  const { maxEventBytes, historyTailMessages, historyTailBytes, historyStreamBytes } = config;
  const history: History<HistoryItem> = new History<HistoryItem>({
    namespaces,
    bounds: { maxRecords: historyTailMessages, maxBytes: historyTailBytes },
    maxStreamBytes: historyStreamBytes,
    connection: mesh.consuming,
    // Declared only where there is one: a topology has channels of its own.
    declaring:
      namespaces.size === 0
        ? undefined
        : {
            topology: mesh.consuming.topology({ channels: 1 }),
            publisher: () => mesh.publisherBeside(),
            hasLostBinding,
          },
    make: (record, nowMs) => historyItem(record, nowMs, maxEventBytes, isEdge),
    onRecord: (namespace, record, isMessage) => checks.onRecord(namespace, record, isMessage),
    onMessage: (record) => topics.onMessage(record),
    onBreak: (namespace) => {
      checks.onBreak(namespace);
      topics.onBreak(namespace);
      onPatternsBroken((name) => isOf(namespace, name));
    },
    now,
    log,
  });
  const topics = new HistoryTopics({ history, deliver });
  const checks = new HistoryChecks({
    mesh,
    node: config.node,
    streams: history.streams,
    now: () => performance.now(),
    log,
  });
  return {
    topics,
    history,
    checks,
    start: async (signal) => {
      await history.start(signal);
      // What was in it before is no part of it.
      checks.start();
    },
    stop: async () => {
      await checks.stop();
      await history.stop();
    },
    readiness: () => history.readiness(),
  };
}

/** Whether a pattern may match topics of this namespace. */
function isOf(namespace: string, pattern: string): boolean {
  const [first] = pattern.split('.');
  return first === namespace || first === '*' || first === '#';
}
