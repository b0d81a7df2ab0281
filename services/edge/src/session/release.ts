import { movedFrame } from '../frame/frames.js';
import type { Connection } from '../transport/connection.js';
import type { Outbox } from './outbox.js';
import type { ClientRequests } from './requests.js';
import type { Subscriptions } from './subscriptions.js';

/** `move`: the old connection still works and takes part. `resume`: it is lost, or to be. `end`: nobody is to have it any more. */
export type ReleaseMode = 'move' | 'resume' | 'end';

/** How a session left this edge. */
export interface Release {
  /** Deliveries given back that had been written to the connection: the queue's head; undefined: go by the broker's flag. */
  suspect: number | undefined;
  /** The window was full, so the queue may have overflowed. */
  isFull: boolean;
}

/** What is finished on the old connection. */
export interface Farewell {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly requests: ClientRequests;
  readonly subscriptions: Subscriptions;
  /** `moved` has been sent: nothing may follow it. */
  onMoved(): void;
  /** Topic messages from before `moved` may not have been sent; the client has been told. */
  onUnfenced(): void;
}

/** Longest wait for accepted publishes to be confirmed and for the topic queue to pass, within a move. */
const flushTimeoutMs = 1_000;

/** Sends what is still to be sent here, then `moved`, and gives the client a moment to acknowledge. */
export async function sayFarewell(farewell: Farewell, settleTimeoutMs: number): Promise<void> {
  const { connection, outbox, requests, subscriptions } = farewell;
  await outbox.flushed(settleTimeoutMs);
  const [isFenced] = await Promise.all([
    subscriptions.settle(flushTimeoutMs),
    requests.answered(flushTimeoutMs),
  ]);
  if (!connection.isOpen) return;
  if (!isFenced) farewell.onUnfenced();
  connection.send(movedFrame(outbox.seq, requests.received));
  farewell.onMoved();
  // What topics carry from now on comes from the other edge alone.
  subscriptions.leaveAll();
  await outbox.acknowledged(settleTimeoutMs);
}
