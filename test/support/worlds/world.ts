import type { Client, connect, Status } from '@evenkeel/client';
import type { Log, Publisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { onTestFinished } from 'vitest';

/** A mesh that an application's client and service are tried on: a real one, or the double. */
export interface World {
  readonly connect: typeof connect;
  createPublisher(name: string): Promise<Publisher>;
  /** The session has its seal: a connection that breaks before it may give a gap in vain (PROTOCOL.md, "The seal"). */
  sealed(client: Client, user: string): Promise<void>;
  /** Resolves when it has been asked. */
  move(client: Client): Promise<void>;
  disconnect(client: Client): void;
  restore(client: Client): void;
  /** What waits for this user's only session, which is away, is lost; other events of the name `filler` may take its place. */
  loseWaiting(client: Client, user: string): Promise<void>;
  /** The session, which is away, is over. */
  expire(client: Client, user: string): Promise<void>;
  expel(user: string): Promise<void>;
  close(): Promise<void>;
}

/** A client with what its application saw. */
export interface Watched {
  readonly client: Client;
  readonly user: string;
  readonly statuses: Status[];
  /** What came, in order: data of events, `gap <reason>`, and `gap <reason> <topic>`. */
  readonly seen: unknown[];
  status<T extends Status['type']>(type: T): Promise<Extract<Status, { type: T }>>;
  saw(count: number): Promise<unknown[]>;
}

/** Takes no notice of what the tests provoke. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

let users = 0;
/** A user that no other test has. */
export const newUser = (): string => `user-${++users}`;

/** Connects; closed when the test is over. */
export async function watch(
  world: World,
  options: {
    user?: string;
    session?: string;
    /** Waits until nothing gives a gap in vain. */
    isSealed?: boolean;
    onEvent?: (data: unknown) => unknown;
  } = {},
): Promise<Watched> {
  const { user = newUser(), session, onEvent } = options;
  const client = world.connect({ user, storage: false, ...(session !== undefined && { session }) });
  onTestFinished(() => client.close());
  const statuses: Status[] = [];
  const seen: unknown[] = [];
  client.onStatus((status) => {
    statuses.push(status);
    if (status.type === 'gap') seen.push(['gap', status.reason, status.topic].filter(Boolean).join(' '));
  });
  client.on('*', ({ name, data }) => {
    if (name === 'filler') return;
    seen.push(data);
    return onEvent?.(data);
  });
  await client.ready();
  if (options.isSealed) await world.sealed(client, user);
  return {
    client,
    user,
    statuses,
    seen,
    status: (type) =>
      eventually(
        `status ${type}`,
        () => statuses.find((s): s is Extract<Status, { type: typeof type }> => s.type === type),
        15_000,
      ),
    saw: (count) => eventually(`${count} of them`, () => seen.length >= count && seen, 15_000),
  };
}

/** Types of statuses, without those that tell how often something was tried. */
export const typesOf = ({ statuses }: Watched): Status['type'][] =>
  statuses.map(({ type }) => type).filter((type) => type !== 'connecting' && type !== 'connect-failed');
