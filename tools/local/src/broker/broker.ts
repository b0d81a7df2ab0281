import type { BrokerUsers } from './users.js';

/** One node of a broker that was started for us alone. */
export interface BrokerNode {
  /** As RabbitMQ calls it, `…@localhost`. */
  readonly name: string;
  /** Where it answers, as the administrator. */
  readonly amqpUrl: string;
  readonly pid: number;
  readonly isRunning: boolean;
  /** Settles when what runs now has ended, with how. */
  ended(): Promise<string>;
  /** Ends it in order, by force after a moment. */
  stop(): Promise<void>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
  /** Boots it again with its data, ended before where it still runs; resolves when it answers. */
  restart(): Promise<void>;
  /** Runs `rabbitmqctl` against it and returns what that printed; fails when the command fails. */
  ctl(args: readonly string[]): Promise<string>;
}

/** A broker that was started for us alone. */
export interface PrivateBroker {
  readonly kind: 'installed' | 'container';
  /** Its nodes, where it is a cluster: addresses are lists then, of every node. */
  readonly nodes?: readonly BrokerNode[];
  /** Where it answers, on loopback, with user `guest`, an administrator. */
  readonly amqpUrl: string;
  /** Who else may use it. From its start it has them, their rights, and the exchanges of the mesh. */
  readonly users: BrokerUsers;
  /** Where it answers to one of its users. */
  urlFor(user: string): string;
  /** Gives it one more of the mesh's users, now and on every later boot. */
  addUser(user: string): Promise<void>;
  /** RabbitMQ's version, such as `3.10.8`. */
  readonly version: string;
  /** How to name it to a person. */
  readonly description: string;
  /** The broker's own process id where it is a child of ours. */
  readonly pid: number | undefined;
  /** Settles when the broker that runs now has ended, whoever ended it, with how. */
  ended(): Promise<string>;
  /** Ends it where it still runs and boots it again: same address, same data. Resolves when it answers. */
  restart(): Promise<void>;
  /** How to run `rabbitmqctl` against it from another process: what it is to do goes last. */
  readonly ctlCommand: {
    readonly command: string;
    readonly args: string[];
    readonly env: Record<string, string>;
  };
  /** Runs `rabbitmqctl` against it and returns what that printed; fails when the command fails. */
  ctl(args: readonly string[]): Promise<string>;
  /** Stops it, by force if need be, and removes what it kept. Within about 4 s. */
  stop(): Promise<void>;
}

/** How long a broker may take to boot: a cold disk and a busy machine included. */
export const bootTimeoutMs = 90_000;
