/** What `node`, `session`, `history`, `events`, `settings` and `set` answer; see `manage-answers.ts`. */
import { z } from 'zod';
import { settingValue } from './manage.js';
import { nodeStatus, planView, sessionView } from './manage-answers.js';
import { amqpFigures } from './node.js';

const ok = { ok: z.literal(true) };
const amount = z.number().nonnegative();

/** Counts by name: of reasons, of codes. */
const counts = z.record(z.string(), amount);

/** Answer of `node`: the node as in `status`, and what its edge says of itself. */
export const nodeAnswer = z.looseObject({
  ...ok,
  node: nodeStatus,
  /** False: the edge has not answered within a second, and the rest is absent. */
  isAnswered: z.boolean(),
  /** Its limits, by the names of the settings. */
  limits: z.record(z.string(), z.number()).optional(),
  /** Its other settings, without secrets. */
  settings: z.record(z.string(), z.unknown()).optional(),
  /** Connections that have closed, by code, since its start; and so on. */
  closes: counts.optional(),
  /** Gaps told, by reason. */
  gaps: counts.optional(),
  /** Tickets and upgrades refused, by reason. */
  refused: counts.optional(),
  /** Moves of its sessions, by outcome. */
  movesByOutcome: counts.optional(),
  /** Its connections to RabbitMQ, by what each is for. */
  amqp: z.record(z.string(), amqpFigures).optional(),
  /** Some of its sessions, 10 at most, those that the front keeps there first. */
  held: z.array(sessionView).optional(),
});
/** See {@link nodeAnswer}. */
export type NodeAnswer = z.infer<typeof nodeAnswer>;

/** One move of a session. */
const sessionMove = z.looseObject({
  /** When it ended, ms since the epoch. */
  at: z.number(),
  from: z.string(),
  to: z.string(),
  /** `done`, `failed`, `timed-out`, `pinned` */
  outcome: z.string(),
});
/** One thing that has happened to a session. */
const sessionPast = z.looseObject({
  at: z.number(),
  /** `opened`, `detached`, `resumed`, `moved` (away from `node`), `ended` */
  kind: z.string(),
  node: z.string(),
  /** The close code of its connection. */
  code: z.number().optional(),
  reason: z.string().optional(),
});

/** Answer of `session`. */
export const sessionAnswer = sessionView.extend({
  ...ok,
  user: z.string(),
  isAttached: z.boolean(),
  /** The last 10, newest first. */
  moves: z.array(sessionMove),
  /** The last 20, newest first, as far as edges remember. */
  history: z.array(sessionPast),
});
/** See {@link sessionAnswer}. */
export type SessionAnswer = z.infer<typeof sessionAnswer>;

/** Answer of `history`: plans that are over, newest first. */
export const historyAnswer = z.looseObject({ ...ok, plans: z.array(planView) });
/** See {@link historyAnswer}. */
export type HistoryAnswer = z.infer<typeof historyAnswer>;

/** One entry of `events`. */
export const meshEvent = z.looseObject({
  /** `<term>-<n>` */
  id: z.string(),
  /** ms since the epoch */
  at: z.number(),
  /** `command`, `plan`, `node`, `leader` */
  kind: z.string(),
  /** What has happened, in words. */
  text: z.string(),
  by: z.string().optional(),
  node: z.string().optional(),
  plan: z.string().optional(),
  /** Of a command: `ok`, or why not. */
  outcome: z.string().optional(),
});
/** See {@link meshEvent}. */
export type MeshEvent = z.infer<typeof meshEvent>;

/** Answer of `events`, oldest first. */
export const eventsAnswer = z.looseObject({
  ...ok,
  events: z.array(meshEvent),
  /** To ask `after` next; null: nothing has happened yet. */
  last: z.string().nullable(),
});
/** See {@link eventsAnswer}. */
export type EventsAnswer = z.infer<typeof eventsAnswer>;

/** One live setting. */
export const settingView = z.looseObject({
  name: z.string(),
  value: settingValue,
  /** What it is without an operator, by the environment of the leading balancer. */
  default: settingValue,
  /** `environment` or `live` */
  from: z.string(),
  by: z.string().optional(),
  at: z.number().optional(),
  /** What it takes, in words. */
  takes: z.string().optional(),
  about: z.string().optional(),
});
/** See {@link settingView}. */
export type SettingView = z.infer<typeof settingView>;

/** What an operator has set of a node. */
export const nodeSettingView = z.looseObject({
  node: z.string(),
  name: z.string(),
  value: z.number(),
  by: z.string(),
  at: z.number(),
});
/** See {@link nodeSettingView}. */
export type NodeSettingView = z.infer<typeof nodeSettingView>;

/** Answer of `settings`. */
export const settingsAnswer = z.looseObject({
  ...ok,
  settings: z.array(settingView),
  nodes: z.array(nodeSettingView).optional(),
});
/** See {@link settingsAnswer}. */
export type SettingsAnswer = z.infer<typeof settingsAnswer>;

/** Answer of `set`: what it was and what it is. Of a node that is back to its environment, `value` is absent. */
export const setAnswer = z.looseObject({
  ...ok,
  name: z.string(),
  node: z.string().optional(),
  value: settingValue.optional(),
  from: z.string(),
});
/** See {@link setAnswer}. */
export type SetAnswer = z.infer<typeof setAnswer>;
