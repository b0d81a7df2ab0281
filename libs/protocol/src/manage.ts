/**
 * Operators' commands on the queue `mesh.manage`, and what it answers. Answers are loose on purpose: a newer balancer may say
 * more, and an older operator must still read the part it knows.
 */
import { z } from 'zod';
import { isSessionRef } from './denials.js';
import { nodeName } from './node.js';

export const loads = ['connections', 'events', 'bytes', 'cpu'] as const;
export const strategies = ['least-loaded', 'consistent-hash'] as const;

const nodesArgument = {
  node: nodeName.optional(),
  nodes: z.array(nodeName).min(1).max(1000).optional(),
};
/** What every command may have. */
const v = {
  v: z.literal(1).optional(),
  /** Whom the console commands for; from others it does not count. */
  onBehalfOf: z.string().min(1).max(256).optional(),
};
const planArguments = {
  strategy: z.enum(strategies).optional(),
  load: z.enum(loads).optional(),
};

const deniable = {
  user: z.string().min(1).max(4096).optional(),
  session: z.string().max(256).refine(isSessionRef, 'a session is named <sid> or <uid>.<sid>').optional(),
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
    /** What the front brings back whenever it is moved is closed in the end. */
    closePinned: z.boolean().optional(),
    /** With `closePinned`: how many a second. */
    ratePerSecond: z.number().min(1).max(1_000).optional(),
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
  /** Keeps a user or a session out, and closes what is open. Exactly one of the two. */
  z.strictObject({
    ...v,
    command: z.literal('deny'),
    ...deniable,
    /** ms since the epoch, at most 30 days ahead; the default. */
    untilMs: z.number().int().positive().optional(),
    reason: z.string().max(256).optional(),
  }),
  /** Ends a denial. */
  z.strictObject({ ...v, command: z.literal('allow'), ...deniable }),
  /** Who is kept out. */
  z.strictObject({ ...v, command: z.literal('denials') }),
  /** Ends the user's sessions and denials. */
  z.strictObject({ ...v, command: z.literal('forget'), user: z.string().min(1).max(4096) }),
]);
export type ManageCommand = z.infer<typeof manageCommand>;
type CommandName = ManageCommand['command'];

const viewing: ReadonlySet<CommandName> = new Set(['status', 'plan', 'where', 'denials']);

/** The commands that there are. */
export const manageCommands: readonly CommandName[] = manageCommand.options.map((o) => o.shape.command.value);
/** Whether a command only looks, or changes something. */
export const manageKind = (command: CommandName): 'view' | 'operate' =>
  viewing.has(command) ? 'view' : 'operate';

const amount = z.number().nonnegative();

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
  /** False: clients that dial `url` do not come to it. */
  reachable: z.boolean().optional(),
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
  /** `auto`, or whoever asked for it. */
  by: z.string().optional(),
  /** How it ended. */
  outcome: z.string().optional(),
  /** ms since the epoch */
  startedAt: z.number().optional(),
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

/** Answer of `where` and `disconnect`: the user's sessions. */
export const sessionsAnswer = z.looseObject({
  ...ok,
  sessions: z
    .array(
      z.looseObject({
        session: z.string(),
        node: z.string(),
        /** When it was attached there, ms since the epoch. */
        since: z.number().optional(),
        unacked: z.number().optional(),
        isBare: z.boolean().optional(),
        /** Where its client is. */
        address: z.string().optional(),
      }),
    )
    .optional(),
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
