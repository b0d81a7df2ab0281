/**
 * What the queue `mesh.manage` answers. Loose on purpose: a newer balancer may say more, and an older operator must still read the
 * part it knows.
 */
import { z } from 'zod';
import { amqpFigures } from './node.js';

const amount = z.number().nonnegative();

/** Codes of what will be refused again, however often it is sent: the command is to be changed. */
export const manageErrors = {
  badCommand: 'bad-command',
  /** A user id that cannot be carried. */
  badUser: 'bad-user',
} as const;
const permanent: ReadonlySet<string> = new Set(Object.values(manageErrors));
/** See {@link manageErrors}. */
export const isPermanentRefusal = (code: string): boolean => permanent.has(code);

/** A refusal: `{"ok": false, "error": {"code", "message"}}`. */
export const refusalAnswer = z.looseObject({
  ok: z.literal(false),
  error: z.looseObject({ code: z.string(), message: z.string() }),
});

/** One node of `status`. */
export const nodeStatus = z.looseObject({
  node: z.string(),
  url: z.string(),
  /** `active`, `cordoned`, `draining`, and what the balancer adds: `joining`, `suspect`, … */
  state: z.string(),
  version: z.string(),
  connections: amount,
  sessions: amount,
  weight: z.number().optional(),
  capacity: z.number().optional(),
  deliveredPerSecond: z.number().optional(),
  handshakeP99Ms: z.number().optional(),
  /** How far the clock of its host is ahead of the median of all, ms. */
  clockAheadMs: z.number().optional(),
  /** That is more than is tolerated: it is avoided while others take sessions. */
  isClockOff: z.boolean().optional(),
  loopLagP99Ms: z.number().optional(),
  cpu: z.number().optional(),
  /** Sessions that the front keeps on it. */
  pinned: amount.optional(),
  /** Events that clients have not acknowledged. */
  unacked: amount.optional(),
  /** From `evenkeel-at` to the socket, of the last seconds, 99th percentile; absent: nothing was measured. */
  publishToSocketP99Ms: amount.optional(),
  /** Gaps that this process has told clients since its start. */
  gaps: amount.optional(),
  /** Id of its process. */
  boot: z.string().optional(),
  /** When it reported last, ms since the epoch. */
  seenAt: z.number().optional(),
  /** What is wrong between it and RabbitMQ; absent: nothing that is known. */
  amqp: z.looseObject({ isBlocked: z.boolean().optional(), recovering: amount.optional() }).optional(),
  /** Of several: brokers that it has addresses of, and is connected to, each `host:port`. */
  brokers: z.looseObject({ known: z.array(z.string()), at: z.array(z.string()) }).optional(),
  /** It leaves this broker: sessions whose queues may be there still. */
  leaving: z.looseObject({ broker: z.string(), queues: amount }).optional(),
  /** Set live, instead of what its environment says. */
  live: z.looseObject({ weight: z.number().optional(), capacity: amount.optional() }).optional(),
  /** False: clients that dial `url` do not come to it. */
  reachable: z.boolean().optional(),
  /** How much of its memory limit it uses; `isLow`: it takes no newcomers for that, `isShort`: some are moved away. */
  memory: z
    .looseObject({
      part: z.number(),
      of: z.string(),
      isLow: z.boolean().optional(),
      isShort: z.boolean().optional(),
    })
    .optional(),
  /** Of a node that is to be empty: for whom, and how far it is. */
  drain: z
    .looseObject({
      by: z.string().optional(),
      /** `under-way`, `empty`, or `stayed`: nothing more is done about those left, unless something changes. */
      state: z.string(),
      why: z.string().optional(),
      endsBy: z.number().optional(),
      /** Its deadline passed then. */
      endedAt: z.number().optional(),
    })
    .optional(),
});
/** See {@link nodeStatus}. */
export type NodeStatus = z.infer<typeof nodeStatus>;

/** One line of a plan: how many go from where to where, and how far that is. */
export const planStep = z.looseObject({
  from: z.string(),
  to: z.string(),
  count: amount,
  done: amount.optional(),
  failed: amount.optional(),
  pinned: amount.optional(),
  timedOut: amount.optional(),
  refused: amount.optional(),
});
/** See {@link planStep}. */
export type PlanStep = z.infer<typeof planStep>;

/** A plan, proposed, running or finished. */
export const planView = z.looseObject({
  /** Null or absent on a dry run, and where there is nothing to move. */
  id: z.string().nullish(),
  kind: z.string().optional(),
  /** `running`, `paused`, `stopping`, `done`, `partial`, `aborted`; absent on a dry run. */
  state: z.string().optional(),
  /** Why it was made. */
  why: z.string().optional(),
  reason: z.string().optional(),
  total: amount.optional(),
  done: amount.optional(),
  failed: amount.optional(),
  /** Sessions that the front keeps where they are: left out, or, of a plan that runs or has ended, part of `failed`. */
  pinned: amount.optional(),
  timedOut: amount.optional(),
  /** Sessions that are to go and that no node has room for. */
  unplaced: amount.optional(),
  /** The same by the node that they are on; nodes with none are left out. */
  unplacedByNode: z.record(z.string(), amount).optional(),
  /** `auto`, or whoever asked for it. */
  by: z.string().optional(),
  /** How it ended. */
  outcome: z.string().optional(),
  /** ms since the epoch */
  startedAt: z.number().optional(),
  /** Of one that is over: ms since the epoch. */
  endedAt: z.number().optional(),
  /** Who goes where. */
  moves: z.array(planStep).optional(),
  ratePerSecond: z.number().optional(),
  /** How long a plan that runs takes from now, ms. */
  etaMs: z.number().nullish(),
  /** How long a proposed plan would take, ms. */
  estimatedMs: z.number().nullish(),
});
/** See {@link planView}. */
export type PlanView = z.infer<typeof planView>;

const ok = { ok: z.literal(true) };

/** Answer of `status`. */
export const statusAnswer = z.looseObject({
  ...ok,
  nodes: z.array(nodeStatus),
  leader: z.unknown(),
  /** Since when it has led, ms since the epoch. */
  leaderSince: z.number().optional(),
  /** What is, what runs, and what is wrong, in one plain sentence. */
  sentence: z.string().optional(),
  /** How level the nodes are that take sessions: the fullest by the mean, of sessions per weight; 1 is level. Absent: nobody has any. */
  level: z.looseObject({ maxOverMean: amount }).optional(),
  /** For how long no node has reported, ms; absent: none has yet. */
  viewAgeMs: amount.optional(),
  /** Of all nodes together. */
  totals: z
    .looseObject({
      sessions: amount,
      eventsPerSecond: amount,
      /** Of the slowest node; absent: nothing was measured. */
      publishToSocketP99Ms: amount.optional(),
      /** Gaps told to clients in the last hour, or since this balancer began to count; absent: no edge says so. */
      gapsLastHour: amount.optional(),
    })
    .optional(),
  /** The leader's connections to RabbitMQ, by what each is for. */
  amqp: z.record(z.string(), amqpFigures).optional(),
  /** Names of settings that are not as the environment has them; of a node `<node>.<name>`. */
  settingsChanged: z.array(z.string()).optional(),
  /** The running plan. */
  plan: planView.nullish(),
  /** `auto` or `manual`. */
  mode: z.string().optional(),
  /** Whether automatic rebalancing is paused, and by whom. */
  isPaused: z.boolean().optional(),
  pausedBy: z.looseObject({ by: z.string(), at: z.number(), why: z.string().optional() }).optional(),
  /** Why nothing is done, or what is. */
  why: z.string().optional(),
  /** False: this balancer has just started, or hears of no node, and may not know every one as it is. */
  isComplete: z.boolean().optional(),
  /** For how long no node has been heard, ms: what is shown is the last view. Absent while any is. */
  silentMs: amount.optional(),
  /** Nodes that operators keep clients from, also those that are not there. */
  cordons: z.array(z.looseObject({ node: z.string(), by: z.string(), at: z.number() })).optional(),
  /** Finished plans, newest first. */
  history: z.array(planView).optional(),
});
/** See {@link statusAnswer}. */
export type StatusAnswer = z.infer<typeof statusAnswer>;

/** Answer of commands that make or change a plan; `plan` is null where there is nothing to move. */
export const planAnswer = z.looseObject({ ...ok, plan: planView.nullish() });
/** See {@link planAnswer}. */
export type PlanAnswer = z.infer<typeof planAnswer>;

/** Answer of commands that are only carried out. */
export const doneAnswer = z.looseObject(ok);
/** See {@link doneAnswer}. */
export type DoneAnswer = z.infer<typeof doneAnswer>;

/** Answer of `leave-broker`: the broker as edges name it, and the edges that were told. */
export const leaveAnswer = z.looseObject({ ...ok, broker: z.string(), nodes: z.array(z.string()) });
/** See {@link leaveAnswer}. */
export type LeaveAnswer = z.infer<typeof leaveAnswer>;

/** One session of `where` and `disconnect`. */
export const sessionView = z.looseObject({
  session: z.string(),
  node: z.string(),
  /** The user id; absent: an older edge. */
  user: z.string().optional(),
  /** False: it has no connection, and `node` ends it when its time is over. Absent: it has. */
  isAttached: z.boolean().optional(),
  /** When it was attached there, or since when it has no connection, ms since the epoch. */
  since: z.number().optional(),
  unacked: z.number().optional(),
  isBare: z.boolean().optional(),
  /** Where its client is. */
  address: z.string().optional(),
  /** Messages that wait in its queue, one of which may be the mesh's own; absent: the broker did not say. */
  queued: amount.optional(),
  /** When its client has last acknowledged anything, ms since the epoch; absent: it has not yet. */
  lastAckAt: z.number().optional(),
  /** How many topics it has subscribed. */
  topics: amount.optional(),
  /** The id of its connection, as in `welcome`. */
  connection: z.string().optional(),
  /** Counts its connections; the newest has the session. */
  generation: amount.optional(),
});
/** See {@link sessionView}. */
export type SessionView = z.infer<typeof sessionView>;

/** Answer of `where` and `disconnect`: the sessions. */
export const sessionsAnswer = z.looseObject({
  ...ok,
  sessions: z.array(sessionView).optional(),
  /** How many edges have answered, and which have not. */
  answered: amount.optional(),
  missing: z.array(z.string()).optional(),
});
/** See {@link sessionsAnswer}. */
export type SessionsAnswer = z.infer<typeof sessionsAnswer>;

/** Answer of `deny` and `allow`. */
export const denialAnswer = z.looseObject({
  ...ok,
  user: z.string().optional(),
  session: z.string().optional(),
  /** Of `deny`: until when, ms since the epoch. */
  untilMs: amount.optional(),
  /** Of `allow`: whether it was denied. */
  wasDenied: z.boolean().optional(),
});
/** See {@link denialAnswer}. */
export type DenialAnswer = z.infer<typeof denialAnswer>;

/** Answer of `denials`. */
export const denialsAnswer = z.looseObject({
  ...ok,
  denials: z.array(
    z.looseObject({ user: z.string().optional(), session: z.string().optional(), untilMs: amount }),
  ),
  /** How many there are; at most 1,000 are listed. */
  total: amount,
});
/** See {@link denialsAnswer}. */
export type DenialsAnswer = z.infer<typeof denialsAnswer>;

/** Answer of `forget`: the sessions that were ended, how many denials, and what is not the mesh's to remove. */
export const forgetAnswer = sessionsAnswer.extend({
  denials: amount.optional(),
  left: z.array(z.string()).optional(),
});
/** See {@link forgetAnswer}. */
export type ForgetAnswer = z.infer<typeof forgetAnswer>;
