import type { Namespaces } from '@evenkeel/access';
import {
  edgesBeside,
  History,
  type Mesh,
  messageRest,
  PresenceCopy,
  senderOf,
  statedTime,
} from '@evenkeel/mesh';
import { keyHeader } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { maxMessageBytes, tailBounds } from './limits.js';
import { type Kept, TopicLooks } from './topics.js';
import { UserLooks } from './users.js';

/** Of a record beside its text: what V8 and the tail have for it, about. */
const overheadBytes = 200;

export interface LooksOptions {
  readonly mesh: Mesh;
  readonly namespaces: Namespaces;
  /** ms that take no step. */
  now(): number;
  /** ms since the epoch. */
  wallNow(): number;
  readonly log: Log;
}

/** What an API knows of topics and users. */
export interface Looks {
  readonly topics: TopicLooks;
  readonly users: UserLooks;
  /** Once the mesh is started; waits for no edge and no stream. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** Why some of it cannot be told at present. */
  note(): string | undefined;
}

/** Makes it while building. */
export function looks({ mesh, namespaces, now, wallNow, log }: LooksOptions): Looks {
  // Where the mesh logs in as one user, edges do too.
  const isEdge = edgesBeside(mesh.user === 'api' ? undefined : mesh.user);
  const history = new History<Kept>({
    namespaces: namespaces.histories,
    bounds: tailBounds,
    // It declares none.
    maxStreamBytes: 0,
    connection: mesh.consuming,
    make: (record, nowMs) => {
      const { properties } = record;
      const { [keyHeader]: key } = properties.headers;
      const rest = messageRest(record, nowMs, maxMessageBytes, senderOf(record, isEdge));
      const item = typeof key === 'string' && rest ? `,"key":${JSON.stringify(key)}${rest}` : rest;
      return { item, bytes: (item?.length ?? 0) + overheadBytes, atMs: statedTime(properties) };
    },
    now: wallNow,
    log,
  });
  const presence = new PresenceCopy({ mesh, queue: 'api.presence', now });
  const connected = (): true | string => mesh.consuming.readiness();
  const historyReadiness = () => {
    const isConnected = connected();
    return isConnected === true ? history.readiness() : isConnected;
  };
  const presenceReadiness = () => presence.completeness();
  return {
    topics: new TopicLooks({ namespaces, history, presence, historyReadiness, presenceReadiness }),
    users: new UserLooks({ presence, readiness: presenceReadiness }),
    start: async (signal) => {
      // A stream comes with the first edge that keeps it.
      history.start(signal).catch(() => {});
      await presence.start(signal);
    },
    stop: async () => {
      await Promise.all([history.stop(), presence.stop()]);
    },
    note: () => [historyReadiness(), presenceReadiness()].find((each): each is string => each !== true),
  };
}
