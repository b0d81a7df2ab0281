import { closeCodes, logged, type PassHold } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { movedFrame } from '../frame/frames.js';
import type { Connection } from '../transport/connection.js';
import type { Outbox } from './outbox.js';
import type { Departure } from './ports.js';
import type { Position } from './position.js';
import type { ClientRequests } from './requests.js';
import type { Subscriptions } from './subscriptions.js';
import type { SealLeft, SealTaker } from './vouch.js';
import type { LeftWritten } from './written-before.js';

/** `move`: the old connection still works and takes part. `resume`: it is lost, or to be. `end`: nobody is to have it any more. */
export type ReleaseMode = 'move' | 'resume' | 'end';

/** What others see of it. */
export const leavingBy = { move: 'moved', resume: 'lost', end: 'left' } as const;

/** Who comes next, as far as is known. */
export interface Successor extends SealTaker {
  /** The edge that it moves to, if that one passes marks on. */
  readonly to?: string | undefined;
}

/** Some edge that looks for the seal at the queue's head, unless it is told that it comes later. */
export const anybody: Successor = { knowsSeals: true, waitsForSeal: true, mayLeaveSeal: false };

/** How a session left this edge. */
export interface Release extends SealLeft, LeftWritten {
  /** What of it had been written, and on which connection. */
  position?: Position | undefined;
  /** The window was full, so the queue may have overflowed; or it is not known what the queue is like. */
  isFull: boolean;
  /** Nothing is known of it here: it was still to come from whoever has it. */
  isUnheld?: boolean;
  /** The number of its queue; undefined: 0. */
  generation?: number | undefined;
  /** The broker that its queue was made at, if that is known. */
  home?: string | undefined;
  /** Topics of which messages may be missing that the client was not told of. */
  doubt?: readonly string[];
  /** Requests whose answers have begun and not ended. */
  streams?: string[] | undefined;
  /** Up to where its client has been sent topics with history, by topic. */
  history?: Readonly<Record<string, string>>;
  /** The pass that counted for it. */
  pass?: PassHold;
  /** The pass itself, where its client got it here: it may not have it yet. */
  newPass?: string;
  /** Topics that services have put it into. */
  placed?: string[] | undefined;
}

/** Of one that was still to come. */
export const unheld: Release = { suspect: undefined, isFull: false, isUnheld: true };

/** What is finished on the old connection. */
export interface Farewell {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly requests: ClientRequests;
  readonly subscriptions: Subscriptions;
  /** Where it goes. */
  readonly departure: Departure;
  /** `moved` has been sent: nothing may follow it. */
  onMoved(): void;
}

/** Longest wait for accepted publishes to be confirmed and for the topic queue to pass, within a move. */
const flushTimeoutMs = 1_000;

export interface FarewellOptions {
  readonly config: { readonly settleTimeoutMs: number };
  readonly load: { movedUnfenced(nowMs: number): number | undefined };
  readonly log: Pick<Log, 'warn'>;
  now(): number;
}

/** Sends what is still to be sent here, then `moved`, and gives the client a moment to acknowledge. */
export async function sayFarewell(farewell: Farewell, options: FarewellOptions): Promise<void> {
  const { connection, outbox, requests, subscriptions, departure } = farewell;
  const { settleTimeoutMs } = options.config;
  await outbox.flushed(settleTimeoutMs);
  const [{ isFenced, mark }] = await Promise.all([
    subscriptions.settle(flushTimeoutMs, departure),
    requests.close(flushTimeoutMs),
  ]);
  if (!connection.isOpen) return;
  if (!isFenced) noteUnfenced(connection.claims, options);
  subscriptions.tellDropped();
  subscriptions.leaveHistories();
  connection.send(movedFrame(outbox.seq, requests.received, mark));
  farewell.onMoved();
  // What topics carry from now on comes from the other edge alone.
  subscriptions.leaveAll('moved');
  await outbox.acknowledged(settleTimeoutMs);
}

/** Topic messages from before `moved` may not have been sent; the client has been told. */
function noteUnfenced(claims: Connection['claims'], { load, log, now }: FarewellOptions): void {
  const unlogged = load.movedUnfenced(now());
  if (unlogged === undefined) return;
  const what = 'session moves, and its topics were told a gap: not all messages were seen to be sent';
  log.warn({ ...logged(claims), unlogged }, what);
}

/** A client that keeps its old connection after a move loses it after this. */
const oldConnectionMs = 5_000;

/** The connection has no session any more. */
export function dismiss(connection: Pick<Connection, 'isOpen' | 'close'>, hasMoved: boolean): void {
  if (!connection.isOpen) return;
  if (!hasMoved) return connection.close(closeCodes.superseded);
  setTimeout(() => connection.close(closeCodes.moved), oldConnectionMs).unref();
}
