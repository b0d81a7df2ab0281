/** What is sent on `mesh.control`: commands to edges, and their replies. */
import { z } from 'zod';
import { gapReasons } from './codes.js';
import { maxPassBytes } from './frames.js';
import { isSid, isUid } from './names.js';
import {
  amqpFigures,
  brokerAddress,
  count,
  nodeCapacity,
  nodeName,
  nodeUrl,
  nodeWeight,
  shortId,
} from './node.js';
import { passHold } from './pass.js';
import { sessionKey, sessionRef } from './session-ref.js';

const target = z.object({
  node: nodeName,
  url: nodeUrl,
  /** The process that the tickets name; absent: it reads the older form of tickets alone, or the balancer does not know. */
  boot: shortId.optional(),
  /**
   * How far the clock by which it judges tickets is ahead of that of the edge which writes them, ms; absent: not worth
   * mentioning, or the balancer does not know.
   */
  clockAheadMs: z.number().int().optional(),
});
/** Sessions in one message at most: of a report, of an adoption. */
export const maxSessionsInMessage = 500;

/** Ring for `consistent-hash`: every part of the mesh builds the same one from it. */
const ring = z.object({
  /** Virtual points a node of weight 1 has. */
  points: z.number().int().positive().max(1_024),
  nodes: z
    .array(z.object({ node: nodeName, weight: nodeWeight }))
    .min(1)
    .max(5_000),
});

/** Commands to an edge, on `mesh.control` with key `edge.<node>` or `all`. */
export const edgeCommand = z.discriminatedUnion('command', [
  z.object({
    command: z.literal('reconnect'),
    /** Identity of this command: a repeat changes nothing and is answered by the current report. */
    move: shortId,
    to: target,
    /** How many sessions, picked by the edge, idle first. */
    count: z.number().int().positive().max(1_000_000).optional(),
    /** Or exactly these. */
    sessions: z.array(sessionRef).max(10_000).optional(),
    /** Or those that the ring gives to `to.node`. */
    ring: ring.optional(),
    /** Pick by what a session costs: `events` and `bytes` take the busiest that still fit `load`. */
    by: z.enum(['connections', 'events', 'bytes', 'cpu']).optional(),
    /** With `by`: how much load (units a second) to move. */
    load: z.number().positive().optional(),
    ratePerSecond: z.number().positive().max(100_000).optional(),
    deadlineMs: z.number().int().positive().max(600_000).optional(),
    reason: z.string().max(256).optional(),
    /** Sessions that the front keeps here are left out; `close`: only they are taken, and their sockets closed at `ratePerSecond`. */
    pinned: z.enum(['skip', 'close']).optional(),
  }),
  z.object({
    command: z.literal('takeover'),
    /** Identity of this attempt; `released` repeats it. */
    takeover: shortId,
    uid: z.string().refine(isUid),
    sid: z.string().refine(isSid),
    /** The edge that asks. */
    from: nodeName,
    /** Its boot id: a later boot of the same name is another edge. */
    boot: shortId,
    /** Of the ticket that the new socket came with; an edge with a newer one refuses. */
    epoch: z.number().int().nonnegative(),
    /** `move`: the old socket still works, settle through it. `resume`: it is lost, requeue at once. */
    mode: z.enum(['move', 'resume']),
    move: z.string().max(128).optional(),
    /** The asking edge knows what comes from `mesh.replies`; older ones would take a reply for an event. */
    takesReplies: z.boolean().optional(),
    /** The asking edge passes marks on to its client. */
    takesMarks: z.boolean().optional(),
    /** The asking edge can wait for the seal, which need not be in the queue yet. */
    takesLeftSeals: z.boolean().optional(),
    /** The pass that counts for the session at the asking edge. */
    pass: passHold.optional(),
  }),
  z.object({
    command: z.literal('released'),
    takeover: shortId,
    uid: z.string().refine(isUid),
    sid: z.string().refine(isSid),
    from: nodeName,
    /** `released`: it was held here and is free now. `unknown`: not held here. `refused`: a newer socket has it. */
    outcome: z.enum(['released', 'unknown', 'refused']),
    /** How many deliveries at the head of the queue were already written to the old socket. */
    suspect: count.optional(),
    /** Their ids, in order: the broker may not flag what it delivers again. */
    ids: z.array(z.string().max(1_024)).max(1_000).readonly().optional().catch(undefined),
    /** So many of them were written to this connection, the first with this `seq`. */
    position: z.object({ connection: shortId, seq: count, count }).optional(),
    /** The client's window was full: the queue may have overflowed, look. */
    isFull: z.boolean().optional(),
    /** Since when it is online, ms since the epoch. */
    onlineSince: count.optional(),
    /** It was without a connection there, and applications have been told so. */
    wasAway: z.boolean().optional(),
    /** Topics of which messages may be missing that its client was not told of. */
    doubt: z.array(z.string().max(512)).max(1_024).optional(),
    /** Up to where its client has been sent topics with history: by topic, the position. */
    history: z.record(z.string().max(512), z.string().max(256)).optional(),
    /** Topics that services have put the session into. */
    placed: z.array(z.string().max(512)).max(10_000).optional(),
    /** It knows seals; older edges take one for a reply to nobody, and acknowledge it. */
    knowsSeals: z.boolean().optional(),
    /**
     * The queue's seal, with `behind` deliveries before it. Without a name it has not come to this edge yet. `at`: the edge that
     * has it in hand or is about to plant it, and puts it into the queue later. `reason`: why it may be missing, where the broker was lost.
     * `isWatched`: it was left there when the connection was lost, and as far as that edge has heard nothing was dropped since.
     */
    seal: z
      .object({
        name: shortId.optional(),
        behind: count,
        at: nodeName.optional(),
        reason: z.enum(gapReasons).optional().catch(undefined),
        isWatched: z.boolean().optional(),
      })
      .optional(),
    /** The client is to be told this gap as soon as it is attached. With a `seal`, which does not come, once more in that place. */
    owed: z.enum(gapReasons).catch(gapReasons.overflow).optional(),
    /** The pass that counted for the session there: the newer of the two goes on counting. */
    pass: passHold.optional(),
    /** That pass itself, where its client got it there by a `refresh`, and came to the asking edge with another. */
    newPass: z.string().max(maxPassBytes).optional(),
    /** Ids of requests whose answers have begun and not ended. */
    streams: z.array(z.string().max(512)).max(1_024).optional(),
    /** The number of its queue, where it is not the one that it began with. */
    generation: z.number().int().min(1).max(999_999_999).optional(),
    /** The broker that its queue was made at, if that is known. */
    home: brokerAddress.optional(),
  }),
  /** From an edge that waits for the seal of this session's queue: it is to come at once. */
  z.object({
    command: z.literal('give-seal'),
    uid: z.string().refine(isUid),
    sid: z.string().refine(isSid),
    from: nodeName,
  }),
  /** From an edge that was shown a ticket for this one, which alone knows whether it has been used. */
  z.object({
    command: z.literal('claim'),
    /** Identity of this question; `claimed` repeats it. */
    claim: shortId,
    ticket: z.string().max(2_048),
    /** The edge that asks, its boot id, and where clients dial it. */
    from: nodeName,
    boot: shortId,
    url: nodeUrl,
  }),
  z.object({
    command: z.literal('claimed'),
    claim: shortId,
    from: nodeName,
    /**
     * `taken`: the ticket is used up and the asking edge admits its client. `elsewhere`: clients dial this edge at another `url`;
     * the ticket is still good there. `used`, `stale`, `expired`, `full`: as this edge would answer it.
     */
    outcome: z.enum(['taken', 'elsewhere', 'used', 'stale', 'expired', 'full']),
    /** Where clients dial this edge. */
    url: nodeUrl,
  }),
  z.object({ command: z.literal('cordon') }),
  z.object({ command: z.literal('uncordon') }),
  /** Stop sending `move` for this command; what was sent goes on. */
  z.object({ command: z.literal('cancel'), move: shortId }),
  /** Report every session once more, with key `sessions.<node>`. */
  z.object({ command: z.literal('sessions') }),
  /** The process that had these is gone: see to those that nobody consumes, and end them when their time is over. */
  z.object({
    command: z.literal('adopt'),
    node: nodeName,
    boot: shortId,
    /** How long ago it was last heard of, ms. */
    silentMs: count,
    /** Key, epoch, and what was left of the lifetime of those without a connection, ms; null: it had one. */
    sessions: z
      .array(z.tuple([sessionKey, count, count.nullable()]))
      .min(1)
      .max(maxSessionsInMessage),
  }),
  /** Others have these, with connections of this epoch or as old: end them no more. */
  z.object({
    command: z.literal('forget'),
    sessions: z
      .array(z.tuple([sessionKey, count]))
      .min(1)
      .max(maxSessionsInMessage),
  }),
  /** Answer, with key `reply.<reply>`, which sessions of this user are here. */
  z.object({
    command: z.literal('where'),
    uid: z.string().refine(isUid),
    reply: shortId,
    ask: shortId,
  }),
  /** Close this user's sockets with `disconnected`, or this session's; answered like `where`. One of the two. */
  z.object({
    command: z.literal('disconnect'),
    uid: z.string().refine(isUid).optional(),
    session: sessionRef.optional(),
    reply: shortId,
    ask: shortId,
  }),
  /**
   * End this user's sessions, or this one, or everybody's, so many a second: their sockets are closed with `drained`, and come back through
   * the gateway. Answered like `where`; with everybody without names.
   */
  z.object({
    command: z.literal('send-back'),
    uid: z.string().refine(isUid).optional(),
    session: sessionRef.optional(),
    ratePerSecond: z.number().min(1).max(1_000).optional(),
    reply: shortId,
    ask: shortId,
  }),
  /** Answer with this session, if it is here, and with what has happened to it here. */
  z.object({ command: z.literal('inspect'), session: sessionRef, reply: shortId, ask: shortId }),
  /** Answer with what you are, your limits and what you have counted. */
  z.object({ command: z.literal('describe'), reply: shortId, ask: shortId }),
  /**
   * From now on connect to this broker, `host:port`, only where no other answers, and have your sessions' queues that may live there on
   * another. `connections`: those to it are to be made anew as well.
   */
  z.object({
    command: z.literal('leave-broker'),
    broker: brokerAddress,
    connections: z.literal(true).optional(),
  }),
  /** What an operator has set: these, and of what is absent what the environment says. Answered by `live` of `node-stats`. */
  z.object({
    command: z.literal('set'),
    weight: nodeWeight.optional(),
    capacity: nodeCapacity.optional(),
  }),
]);
export type EdgeCommand = z.infer<typeof edgeCommand>;
export type CommandOf<C extends EdgeCommand['command']> = Extract<EdgeCommand, { command: C }>;

/** Sessions that an edge's answer names at most; it leaves out the others. */
export const maxSessionsInReply = 10_000;

/** Sessions in an answer to `describe` at most. */
export const maxHeldInReply = 10;
/** Moves and happenings of one session in an answer at most, the newest. */
export const maxMovesInReply = 10;
/** See {@link maxMovesInReply}. */
export const maxPastInReply = 20;

const counts = z.record(z.string().max(64), count);

/** What an edge says of itself: settings by their names, without secrets, and counts by reason since its start. */
const aboutEdge = z.object({
  limits: z.record(z.string().max(64), z.number()),
  settings: z.record(z.string().max(64), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  closes: counts.optional(),
  gaps: counts.optional(),
  refused: counts.optional(),
  movesByOutcome: counts.optional(),
  /** Its connections to RabbitMQ, by what each is for. */
  amqp: z.record(z.string().max(64), amqpFigures).optional(),
});
export type AboutEdge = z.infer<typeof aboutEdge>;

/** What has happened to a session at one edge; times are ms since the epoch. */
const sessionPastHere = z.object({
  at: count,
  /** `moved`: away from here. */
  kind: z.enum(['opened', 'detached', 'resumed', 'moved', 'ended']),
  code: z.number().int().optional(),
  reason: z.string().max(64).optional(),
});
/** How a move from here has ended. */
const sessionMoveHere = z.object({
  at: count,
  to: nodeName,
  outcome: z.enum(['done', 'failed', 'timed-out', 'pinned']),
});

/** An edge's answer to `where`, `disconnect`, `send-back`, `inspect` and `describe`, on `mesh.control` with key `reply.<reply>`. */
export const edgeReply = z.object({
  ask: shortId,
  node: nodeName,
  boot: shortId,
  sessions: z
    .array(
      z.object({
        session: z.string().max(256),
        node: nodeName,
        /** When it was attached here, or, not attached, since when it has no connection; ms since the epoch. */
        since: count,
        unacked: count,
        isBare: z.boolean(),
        /** Where its client is, as far as what is in front is trusted to say. */
        address: z.string().max(64).optional(),
        uid: z.string().max(256).optional(),
        /** False: it has no connection, and this edge ends it when its time is over; absent: it has. */
        isAttached: z.literal(false).optional(),
        lastAckAt: count.optional(),
        topics: count.optional(),
        /** As in `welcome`. */
        connection: shortId.optional(),
        generation: count.optional(),
      }),
    )
    .max(maxSessionsInReply),
  /** To `inspect`, the newest first: the session's key, what has happened to it here, and its moves from here. */
  past: z
    .object({
      session: sessionKey,
      events: z.array(sessionPastHere).max(maxPastInReply),
      moves: z.array(sessionMoveHere).max(maxMovesInReply),
    })
    .optional(),
  /** To `describe`. */
  about: aboutEdge.optional(),
});
export type EdgeReply = z.infer<typeof edgeReply>;
