/**
 * What the management queue answers. Loose on purpose: a newer balancer may say more, and an older operator
 * must still read the part it knows.
 */
import { z } from 'zod';

const count = z.number().nonnegative();

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
  connections: count,
  sessions: count,
  weight: z.number().optional(),
  capacity: z.number().optional(),
  deliveredPerSecond: z.number().optional(),
  handshakeP99Ms: z.number().optional(),
  loopLagP99Ms: z.number().optional(),
  cpu: z.number().optional(),
});
/** See {@link nodeStatus}. */
export type NodeStatus = z.infer<typeof nodeStatus>;

/** One line of a plan: how many go from where to where, and how far that is. */
export const planStep = z.looseObject({
  from: z.string(),
  to: z.string(),
  count: count,
  done: count.optional(),
  failed: count.optional(),
  timedOut: count.optional(),
  refused: count.optional(),
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
  total: count.optional(),
  done: count.optional(),
  failed: count.optional(),
  timedOut: count.optional(),
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
      }),
    )
    .optional(),
});
/** See {@link sessionsAnswer}. */
export type SessionsAnswer = z.infer<typeof sessionsAnswer>;
