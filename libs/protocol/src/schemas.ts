/** Schemas of what arrives from outside: client frames, statistics, edge commands, management commands. */
import { z } from 'zod';
import { isNodeName, isSid, isUid } from './names.js';

const requestId = z.union([z.string().min(1).max(128), z.number().int().nonnegative().transform(String)]);

/** Frames a client may send. Unknown fields are ignored, unknown `t` is answered, not fatal. */
export const clientFrame = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('hello'),
    resume: z.boolean().optional(),
    topics: z.array(z.string().max(512)).max(1024).optional(),
    ack: z.enum(['client', 'write']).optional(),
    awayMs: z.number().nonnegative().optional(),
  }),
  z.object({ t: z.literal('ack'), seq: z.number().int().nonnegative() }),
  z.object({ t: z.literal('subscribe'), id: requestId, topic: z.string().max(512) }),
  z.object({ t: z.literal('unsubscribe'), id: requestId, topic: z.string().max(512) }),
  z.object({
    t: z.literal('publish'),
    id: requestId,
    topic: z.string().max(512),
    data: z.unknown().optional(),
  }),
  z.object({
    t: z.literal('request'),
    id: requestId,
    method: z.string().max(512),
    data: z.unknown().optional(),
  }),
  z.object({ t: z.literal('ping') }),
]);
export type ParsedClientFrame = z.infer<typeof clientFrame>;
/** The values of `t` a client may send. */
export const clientFrameTypes: ReadonlySet<string> = new Set([
  'hello',
  'ack',
  'subscribe',
  'unsubscribe',
  'publish',
  'request',
  'ping',
]);

/** A node's name: one routing-key word. */
export const nodeName = z.string().refine(isNodeName, 'a node name is 1 to 64 of A-Z a-z 0-9 _ -');
export const nodeStates = ['active', 'cordoned', 'draining'] as const;
export type NodeState = (typeof nodeStates)[number];

const count = z.number().int().nonnegative();
const rate = z.number().nonnegative();

/** `stats.<node>` on `mesh.stats`, one per edge per second and at once on a change of `state`. */
export const nodeStats = z.object({
  v: z.literal(1),
  node: nodeName,
  url: z.string(),
  /** Id of this process; changes on every start. */
  boot: z.string(),
  /** Counts from 1 per boot. */
  seq: count,
  /** ms since the epoch, the edge's clock. */
  at: count,
  state: z.enum(nodeStates),
  version: z.string(),
  weight: z.number().positive(),
  /** Most connections this edge takes. */
  capacity: z.number().int().positive(),
  /** Open sockets past the ticket check. */
  connections: count,
  /** Sessions attached to their queue here. */
  sessions: count,
  /** Attached sessions whose socket has closed and whose hand-off is still being settled. */
  detached: count,
  unacked: count,
  deliveredPerSecond: rate,
  receivedPerSecond: rate,
  bytesPerSecond: rate,
  handshakesPerSecond: rate,
  /** Open to welcome, ms. */
  handshakeP99Ms: rate,
  loopLagP99Ms: rate,
  /** 0 to 1. */
  loopUtilization: rate,
  /** Cores. */
  cpu: rate,
  rssBytes: count,
  moves: z.object({ pending: count, done: count, failed: count }),
});
export type NodeStats = z.infer<typeof nodeStats>;

/** One move command's progress at the edge that carries it out; counts are cumulative, so a repeat is harmless. */
export const moveProgress = z.object({
  move: z.string(),
  to: z.string(),
  /** Sessions the edge picked. */
  asked: count,
  /** `move` frames sent (or bare sockets closed). */
  sent: count,
  done: count,
  /** The client closed or reconnected elsewhere, or the target refused. */
  failed: count,
  /** Deadline passed with the session still here. */
  timedOut: count,
  /** No such session here, or it is moving already. */
  refused: count,
  /** Nothing more will change. */
  isFinal: z.boolean(),
});
export type MoveProgress = z.infer<typeof moveProgress>;
/** `moves.<node>` on `mesh.stats`: sent when counts have changed, at most every 100 ms, and when final. */
export const moveReport = z.object({
  v: z.literal(1),
  node: nodeName,
  boot: z.string(),
  at: count,
  moves: z.array(moveProgress).max(1000),
});
export type MoveReport = z.infer<typeof moveReport>;

const target = z.object({ node: nodeName, url: z.string().min(1) });
/** `<uid>.<sid>`, or a `<sid>` alone. */
const sessionRef = z.string().refine((s) => {
  const dot = s.lastIndexOf('.');
  return dot < 0 ? isSid(s) : isUid(s.slice(0, dot)) && isSid(s.slice(dot + 1));
}, 'a session is named <uid>.<sid> or <sid>');

/** Ring for `consistent-hash`: points in order, each the start of an arc owned by `node`. */
const ring = z.object({
  /** Virtual points a node of weight 1 has. */
  points: z.number().int().positive(),
  nodes: z.array(z.object({ node: nodeName, weight: z.number().positive() })).min(1),
});

/** Commands to an edge, on `mesh.control` with key `edge.<node>` or `all`. */
export const edgeCommand = z.discriminatedUnion('command', [
  z.object({
    command: z.literal('reconnect'),
    /** Identity of this command: a repeat changes nothing and is answered by the current report. */
    move: z.string().min(1).max(128),
    to: target,
    /** How many sessions, picked by the edge, idle first. */
    count: z.number().int().positive().optional(),
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
  }),
  z.object({
    command: z.literal('takeover'),
    /** Identity of this attempt; `released` repeats it. */
    takeover: z.string().min(1).max(128),
    uid: z.string().refine(isUid),
    sid: z.string().refine(isSid),
    /** The edge that asks. */
    from: nodeName,
    /** Its boot id: a later boot of the same name is another edge. */
    boot: z.string(),
    /** Of the ticket that the new socket came with; an edge with a newer one refuses. */
    epoch: z.number().int().nonnegative(),
    /** `move`: the old socket still works, settle through it. `resume`: it is lost, requeue at once. */
    mode: z.enum(['move', 'resume']),
    move: z.string().max(128).optional(),
  }),
  z.object({
    command: z.literal('released'),
    takeover: z.string(),
    uid: z.string(),
    sid: z.string(),
    from: nodeName,
    /** `released`: it was held here and is free now. `unknown`: not held here. `refused`: a newer socket has it. */
    outcome: z.enum(['released', 'unknown', 'refused']),
    /** How many deliveries at the head of the queue were already written to the old socket. */
    suspect: count.optional(),
    /** The client's window was full: the queue may have overflowed, look. */
    isFull: z.boolean().optional(),
  }),
  z.object({ command: z.literal('cordon') }),
  z.object({ command: z.literal('uncordon') }),
  /** Stop sending `move` for this command; what was sent goes on. */
  z.object({ command: z.literal('cancel'), move: z.string().min(1).max(128) }),
  /** Answer, with key `reply.<reply>`, which sessions of this user are here. */
  z.object({
    command: z.literal('where'),
    uid: z.string().refine(isUid),
    reply: z.string(),
    ask: z.string(),
  }),
  /** Close this user's sockets with `disconnected`; answered like `where`. */
  z.object({
    command: z.literal('disconnect'),
    uid: z.string().refine(isUid),
    reply: z.string(),
    ask: z.string(),
  }),
]);
export type EdgeCommand = z.infer<typeof edgeCommand>;
export type CommandOf<C extends EdgeCommand['command']> = Extract<EdgeCommand, { command: C }>;

/** An edge's answer to `where` and `disconnect`, on `mesh.control` with key `reply.<reply>`. */
export const edgeReply = z.object({
  ask: z.string(),
  node: nodeName,
  boot: z.string(),
  sessions: z.array(
    z.object({
      session: z.string(),
      node: nodeName,
      /** When it was attached here, ms since the epoch. */
      since: count,
      unacked: count,
      isBare: z.boolean(),
    }),
  ),
});
export type EdgeReply = z.infer<typeof edgeReply>;

export const loads = ['connections', 'events', 'bytes', 'cpu'] as const;
export const strategies = ['least-loaded', 'consistent-hash'] as const;

const nodesArgument = {
  node: nodeName.optional(),
  nodes: z.array(nodeName).min(1).max(1000).optional(),
};
const v = { v: z.literal(1).optional() };
const planArguments = {
  strategy: z.enum(strategies).optional(),
  load: z.enum(loads).optional(),
};

/** Management commands, on the queue `mesh.manage`. Answered to `reply_to` with the same `correlation_id`. */
export const manageCommand = z.discriminatedUnion('command', [
  z.strictObject({ ...v, command: z.literal('status') }),
  /** Dry run. With `node`/`nodes`: of draining them. */
  z.strictObject({ ...v, command: z.literal('plan'), ...planArguments, ...nodesArgument }),
  z.strictObject({ ...v, command: z.literal('rebalance'), ...planArguments }),
  z.strictObject({
    ...v,
    command: z.literal('drain'),
    ...nodesArgument,
    deadlineMs: z.number().int().positive().max(86_400_000).optional(),
  }),
  z.strictObject({ ...v, command: z.literal('cordon'), ...nodesArgument }),
  z.strictObject({ ...v, command: z.literal('uncordon'), ...nodesArgument }),
  /** Pause, resume or abort the running plan (or the named one); without a plan, automatic rebalancing. */
  z.strictObject({ ...v, command: z.literal('pause'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('resume'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('abort'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('undo'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('where'), user: z.string().min(1).max(4096) }),
  z.strictObject({ ...v, command: z.literal('disconnect'), user: z.string().min(1).max(4096) }),
]);
export type ManageCommand = z.infer<typeof manageCommand>;
