import type WebSocket from 'ws';
import type { Recorder } from './recorder.js';

/**
 * How a client lives: `quick` and `moved` acknowledge at once, `slow` takes its time, two lose their sockets; `sdk` is the project's own
 * client, all others have frames of their own.
 */
export type Manner = 'quick' | 'slow' | 'sleeping' | 'cut' | 'moved' | 'sdk';

export interface ClientOptions {
  readonly gatewayUrl: string;
  readonly user: string;
  readonly manner: Manner;
  readonly topics: readonly string[];
  readonly recorder: Recorder;
}

/** A client of the mesh, as the stage and the faults see it. */
export interface Participant {
  readonly options: ClientOptions;
  readonly isConnected: boolean;
  readonly node: string | undefined;
  /** Something that it has asked is to be answered yet. */
  readonly isWaiting: boolean;
  /** When the last event or message came, by `performance.now()`. */
  readonly lastAt: number;
  /** What ended it for good, or what it was given and should not. */
  readonly failure: string | undefined;
  /** Asks a service. */
  ask(): void;
  /** Loses the socket, as a network does; comes back at once. */
  cut(): void;
  /** Reads nothing and says nothing; returns what ends that. */
  freeze(): { thaw(): void }[];
  /** Comes back by another socket, and leaves those that it has open, as a network does that tells nobody. */
  leave(): WebSocket[];
  close(): void;
  /** Ends its session, if it can. */
  end(): void;
}
