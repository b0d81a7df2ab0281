import type { DelaysDump } from '../fleet/delays.js';
import type { Fault } from './options.js';

/** What the main process tells a client process. */
export type ToWorker =
  | { do: 'move'; perSecond: number; from: string | undefined; to: string | undefined }
  | { do: 'fault'; fault: Fault; isOn: boolean }
  | { do: 'report'; published: number[] }
  /** Forget the delays measured so far. */
  | { do: 'measure' }
  | { do: 'stop' };

export interface WorkerStart {
  amqpUrl: string;
  gatewayUrl: string;
  edges: { node: string; url: string }[];
  /** Numbers of the clients of this process, and how many of all are moved (the rest are control). */
  first: number;
  last: number;
  moved: number;
  fault: Fault;
}

/** Sent ten times a second. */
export interface Progress {
  say: 'progress';
  connected: number;
  delivered: number;
  moves: number;
  movesUnderWay: number;
}

export interface WorkerReport {
  say: 'report';
  received: number;
  lost: number;
  repeated: number;
  repeatedOnWire: number;
  reordered: number;
  gaps: number;
  moves: number;
  movesFailed: number;
  minMovesPerSession: number;
  disconnected: number;
  socketlessMaxMs: number;
  replaysAccepted: number;
  replaysRefused: number;
  delays: Record<'control' | 'controlDuring' | 'moved' | 'duringMove', DelaysDump>;
}

export type FromWorker = Progress | WorkerReport | { say: 'ready' };
