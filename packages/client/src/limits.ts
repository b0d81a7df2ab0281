/** Fixed numbers of this client. Each is a constant of its own, so that a bundle has the number alone. */
import type { defaults } from '@evenkeel/protocol/wire';

type Defaults = typeof defaults;

/** Look-up, and opening of a socket, each. */
export const attemptMs = 10_000;
/** Nodes named to the gateway as tried; it takes no more. */
export const tried = 8;
/** A wait between attempts is never longer, whatever `Retry-After` or `backoff` say. */
export const retryAfterMs = 600_000;
/** A refused token (401) ends the client after so many tries in a row and so long, if `getToken` may give a better one. */
export const unauthorizedTries = 3;
export const unauthorizedMs = 30_000;
/** The longest `handlerTimeoutMs`: an edge waits no longer for an event to be acknowledged. */
export const handlerMs: Defaults['longestUnackedMs'] = 1_200_000;
/** As long as no edge has said otherwise. */
export const heartbeatMs: Defaults['heartbeatMs'] = 15_000;
export const maxFrameBytes: Defaults['maxPayloadBytes'] = 65_536;
export const callMs: Defaults['requestTimeoutMs'] = 30_000;
/** Topics that an edge takes in a `hello`. */
export const topics = 1_024;
/**
 * Of what an edge takes of calls, so much is sent: the network may hold frames up and bring them all at once, and clocks are not
 * equally fast.
 */
export const paceRate = 0.9;
export const paceBurst = 0.5;
/** From the open socket to `welcome`: longer than an edge tries to take a session over (30 s). */
export const welcomeMs = 45_000;
/** Wait for the new socket's `welcome` when the old one is already gone. */
export const moveGraceMs = 10_000;
/**
 * Wait for the `moved` of the old socket that the new one's `welcome` has overtaken: as long as the edge keeps it for
 * that, since only a stalled way can be the reason. Calls do not wait so long.
 */
export const overtakenMs = 5_000;
export const overtakenCallsMs = 1_000;
/** A timer that comes this late tells of this machine; then what has come is read for so long before anything is judged. */
export const lateMs = 1_000;
export const graceMs = 2_000;
/** An answer to a ping; never longer than the heartbeat. */
export const answerMs = 10_000;
/** An answer to a ping after the page woke up or came online. */
export const probeMs = 5_000;
/** Messages kept from the new socket of a move until the old one has finished. */
export const mergeBuffer = 10_000;
/** Wait for the mark that the old edge of a move has named; without one, contents that came once are repeats as long. */
export const markMs = 5_000;
/** What was published at the moment of the mark comes as soon after it. */
export const sameMomentMs = 20;
/** How long repeats of a topic are looked for after a change of socket. */
export const repeatMs = 30_000;
/** Ids of directed events remembered; at least 2 × `window`. */
export const recentEvents = 1_024;
/** Events waiting for handlers; a window bounds them long before. */
export const queuedEvents = 4_096;
/** An event that has no handler waits for one so long. */
export const unhandledMs = 30_000;
/** Statuses kept for a slow reader of `status()`; the oldest go. */
export const statusBuffer = 256;
/** A connection that lived this long starts its backoff anew. */
export const stableMs = 5_000;
/** `close()` waits for a running handler this long, then this long for the socket. */
export const closeMs = 2_000;
/** `end()` looks for an edge that ends the session this long. */
export const endMs = 5_000;
