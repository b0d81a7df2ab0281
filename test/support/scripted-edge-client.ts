import { type Client, type ConnectOptions, connect, type Status } from '@evenkeel/client';
import { eventually, type ScriptedConnection, type ScriptedEdge, ScriptedMesh } from '@evenkeel/testkit';
import { onTestFinished } from 'vitest';
import WebSocket from 'ws';

/** A client before scripted edges `a`, `b` and `c`, with what its application saw. */
export interface Scripted {
  mesh: ScriptedMesh;
  a: ScriptedEdge;
  b: ScriptedEdge;
  c: ScriptedEdge;
  client: Client;
  /** Ids of events in the order of the callbacks. */
  events: string[];
  statuses: Status[];
  types(): Status['type'][];
  status<T extends Status['type']>(type: T): Promise<Extract<Status, { type: T }>>;
  /** The first socket at `a`, welcomed. */
  connected(): Promise<ScriptedConnection>;
}

/** Builds it; closes all when the test has ended. `handler` sees each event after it was noted. */
export async function scripted(
  options: Partial<ConnectOptions> = {},
  handler?: (id: string) => unknown,
  connectWith: (options: ConnectOptions) => Client = connect,
): Promise<Scripted> {
  const mesh = await ScriptedMesh.start();
  onTestFinished(() => mesh.close());
  const a = await mesh.edge('a');
  const b = await mesh.edge('b');
  const c = await mesh.edge('c');
  const events: string[] = [];
  const statuses: Status[] = [];
  const client = connectWith({
    gateway: mesh.gateway,
    user: 'alice',
    WebSocket,
    backoff: { minMs: 2, maxMs: 10 },
    ackAfterMs: 5,
    random: () => 0.001,
    ...options,
  });
  onTestFinished(() => client.close());
  client.onStatus((status) => statuses.push(status));
  client.onEvent((event) => {
    events.push(event.id);
    return handler?.(event.id);
  });
  const status = <T extends Status['type']>(type: T) =>
    eventually(`status ${type}`, () =>
      statuses.find((s): s is Extract<Status, { type: T }> => s.type === type),
    );
  const connected = async (): Promise<ScriptedConnection> => {
    const connection = await a.next();
    await client.ready();
    return connection;
  };
  return {
    mesh,
    a,
    b,
    c,
    client,
    events,
    statuses,
    types: () => statuses.map((s) => s.type),
    status,
    connected,
  };
}

/** A client subscribed to `news` at `a`, with the ids its handler got. */
export async function subscribed(options: Partial<ConnectOptions> = {}) {
  const s = await scripted(options);
  const a = await s.connected();
  const got: string[] = [];
  const subscription = await s.client.subscribe('news', (message) => got.push(message.id));
  const move = async () => {
    s.b.defaults.welcome = false;
    a.move(s.b);
    const b = await s.b.next();
    await b.take('hello');
    return b;
  };
  return { ...s, at: a, got, subscription, move };
}

/** A promise with its ends in hand. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((r) => {
    resolve = r;
  });
  return { promise, resolve };
}
