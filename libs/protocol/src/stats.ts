/** What edges report on `mesh.stats`. */
import { z } from 'zod';
import { maxSessionsInMessage } from './control.js';
import { strategies } from './manage.js';
import { brokerAddress, count, nodeCapacity, nodeName, nodeUrl, nodeWeight, shortId } from './node.js';
import { sessionKey } from './session-ref.js';

export const nodeStates = ['active', 'cordoned', 'draining'] as const;
export type NodeState = (typeof nodeStates)[number];

const rate = z.number().nonnegative();

/** `stats.<node>` on `mesh.stats`, one per edge per second and at once on a change of `state`. */
export const nodeStats = z.object({
  v: z.literal(1),
  node: nodeName,
  url: nodeUrl,
  /** Id of this process; changes on every start. */
  boot: shortId,
  /** How many parts the newest form of tickets has that it reads; absent: two. */
  ticketParts: z.number().int().positive().max(100).optional(),
  /** Counts from 1 per boot. */
  seq: count,
  /** ms since the epoch, the clock of the edge's host. */
  at: count,
  /** The clock by which it judges tickets, ms: its host's when the process began, and no step since. Absent: `at`. */
  steadyAt: count.optional(),
  state: z.enum(nodeStates),
  /** `false`: clients that dial `url` do not come here, so it stays `cordoned`; absent: it has not looked, or they do. */
  reachable: z.boolean().optional(),
  version: z.string().max(256),
  weight: nodeWeight,
  /** Most connections this edge takes. */
  capacity: nodeCapacity,
  /** What an operator has set here; absent: this edge takes no `set`. */
  live: z.object({ weight: nodeWeight.optional(), capacity: nodeCapacity.optional() }).optional(),
  /** Open sockets past the ticket check. */
  connections: count,
  /** Sessions attached to their queue here. */
  sessions: count,
  /** Attached sessions whose socket has closed and whose hand-off is still being settled. */
  detached: count,
  /** Sessions here that the front brings back whenever they are sent elsewhere; plans leave them out. Absent: none. */
  pinned: count.optional(),
  unacked: count,
  deliveredPerSecond: rate,
  receivedPerSecond: rate,
  bytesPerSecond: rate,
  handshakesPerSecond: rate,
  /** Hello to welcome, ms. */
  handshakeP99Ms: rate,
  /** From publishing to the socket, ms: of the directed events of the last ten seconds, one in eight. Absent: none was measured. */
  publishToSocketP99Ms: rate.optional(),
  /** Gaps told to clients since this process began. */
  gaps: count.optional(),
  /**
   * Part in use of the memory limit that is nearer to being met: of the process, or of its heap. `isLow`: it takes no newcomers, so it
   * is `cordoned` too; `isShort`: sessions are to be moved away from it. Absent: an older edge.
   */
  memory: z
    .object({
      part: rate,
      of: z.enum(['process', 'heap']),
      isLow: z.literal(true).optional(),
      isShort: z.literal(true).optional(),
    })
    .optional(),
  /** What is wrong between it and RabbitMQ, of all its connections together; absent: nothing, or an older edge. */
  amqp: z.object({ isBlocked: z.literal(true).optional(), recovering: count.optional() }).optional(),
  /** Of several: those that it has addresses of, and those that it is connected to. Absent: it has one, or is older. */
  brokers: z.object({ known: z.array(brokerAddress).max(32), at: z.array(brokerAddress).max(32) }).optional(),
  /** It leaves this broker: how many of its sessions may have their queues there still. */
  leaving: z.object({ broker: brokerAddress, queues: count }).optional(),
  loopLagP99Ms: rate,
  /** 0 to 1. */
  loopUtilization: rate,
  /** Cores. */
  cpu: rate,
  rssBytes: count,
  moves: z.object({ pending: count, done: count, failed: count }),
});
export type NodeStats = z.infer<typeof nodeStats>;

/** The process that a ticket for this edge names; undefined: the edge reads the older form alone, which names none. */
export const ticketBoot = ({ boot, ticketParts = 2 }: Pick<NodeStats, 'boot' | 'ticketParts'>) =>
  ticketParts >= 3 ? boot : undefined;

/** One move command's progress at the edge that carries it out; counts are cumulative, so a repeat is harmless. */
export const moveProgress = z.object({
  move: shortId,
  to: nodeName,
  /** Sessions the edge picked. */
  asked: count,
  /** `move` frames sent (or bare sockets closed). */
  sent: count,
  done: count,
  /** The client has left while it was asked: its socket closed, or it came elsewhere by itself. */
  failed: count,
  /** How many of `failed` came back here because the front in between keeps them here; absent: none. */
  pinned: count.optional(),
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
  boot: shortId,
  /** The edge's clock as in `steadyAt`. */
  at: count,
  moves: z.array(moveProgress).max(1000),
});
export type MoveReport = z.infer<typeof moveReport>;

const someSessions = <T extends z.ZodType>(entry: T) => z.array(entry).max(maxSessionsInMessage).optional();

/**
 * `sessions.<node>` on `mesh.stats`: what has changed, at most five messages a second; everything, on demand; and nothing, every
 * five seconds, so that whoever begins to listen knows whom to ask.
 */
export const sessionsReport = z.object({
  v: z.literal(1),
  node: nodeName,
  boot: shortId,
  /** Counts from 1 per boot: one that is missing has been lost. */
  seq: count,
  /** It begins a list of all: what is not named again until `ends` is not here any more. */
  begins: z.literal(true).optional(),
  ends: z.literal(true).optional(),
  /** With a connection here: key and epoch. */
  held: someSessions(z.tuple([sessionKey, count])),
  /** Without one, and this edge ends them: key, epoch, what is left of their lifetime in ms. */
  away: someSessions(z.tuple([sessionKey, count, count])),
  /** Not here any more. */
  gone: someSessions(z.tuple([sessionKey, count])),
});
export type SessionsReport = z.infer<typeof sessionsReport>;

/** `policy` on `mesh.stats`: how the leading balancer spreads sessions, once in a few seconds; gateways place by the same. */
export const meshPolicy = z.object({ v: z.literal(1), strategy: z.enum(strategies), at: count });
export type MeshPolicy = z.infer<typeof meshPolicy>;
