/** Operators' commands on the queue `mesh.manage`. What it answers is in `manage-answers.ts`. */
import { z } from 'zod';
import { brokerAddress, nodeName } from './node.js';
import { sessionRef } from './session-ref.js';

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

/** Plans in one answer to `history` at most. */
export const maxHistory = 100;
/** Entries in one answer to `events` at most, and all that the leader keeps. */
export const maxEvents = 1_000;
/** What a live setting may be: as JSON has it, or as text, as in the environment. */
export const settingValue = z.union([
  z.string().max(4096),
  z.number(),
  z.boolean(),
  z.array(z.string().max(64)).max(100),
]);
/** See {@link settingValue}. */
export type SettingValue = z.infer<typeof settingValue>;
/** What can be set of a node, live. */
export const nodeSettingNames = ['weight', 'capacity'] as const;
/** See {@link nodeSettingNames}. */
export type NodeSettingName = (typeof nodeSettingNames)[number];

/** A user or a session, whichever is named. */
const subject = {
  user: z.string().min(1).max(4096).optional(),
  session: sessionRef.optional(),
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
  /**
   * A broker of several is to be taken down, `host:port`, or its host: sessions' queues leave it. With `node`, which is to be empty: that
   * edge's connections as well.
   */
  z.strictObject({
    ...v,
    command: z.literal('leave-broker'),
    broker: brokerAddress,
    node: nodeName.optional(),
  }),
  /** Pause, resume or abort the running plan (or the named one); without a plan, automatic rebalancing. */
  z.strictObject({ ...v, command: z.literal('pause'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('resume'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('abort'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('undo'), plan: z.string().max(128).optional() }),
  z.strictObject({ ...v, command: z.literal('where'), user: z.string().min(1).max(4096) }),
  /** Closes a user's sockets and ends the sessions, or one session. Exactly one of the two. */
  z.strictObject({ ...v, command: z.literal('disconnect'), ...subject }),
  /**
   * Ends the sessions of a user, or one, or everybody's, `ratePerSecond` on each edge; their clients come back through the gateway. Exactly one
   * of the three.
   */
  z.strictObject({
    ...v,
    command: z.literal('send-back'),
    ...subject,
    everybody: z.literal(true).optional(),
    ratePerSecond: z.number().min(1).max(1_000).optional(),
  }),
  /** Keeps a user or a session out, and closes what is open. Exactly one of the two. */
  z.strictObject({
    ...v,
    command: z.literal('deny'),
    ...subject,
    /** ms since the epoch, at most 30 days ahead; the default. */
    untilMs: z.number().int().positive().optional(),
    reason: z.string().max(256).optional(),
  }),
  /** Ends a denial. */
  z.strictObject({ ...v, command: z.literal('allow'), ...subject }),
  /** Who is kept out. */
  z.strictObject({ ...v, command: z.literal('denials') }),
  /** One node, and what its edge says of itself. */
  z.strictObject({ ...v, command: z.literal('node'), node: nodeName }),
  /** One session: where it is, how far it is behind, and what has happened to it. */
  z.strictObject({ ...v, command: z.literal('session'), session: sessionRef }),
  /** Plans that are over, newest first; with `before` those older than it. */
  z.strictObject({
    ...v,
    command: z.literal('history'),
    limit: z.number().int().min(1).max(maxHistory).optional(),
    before: z.string().max(128).optional(),
  }),
  /** What has happened since the one named, oldest first. */
  z.strictObject({
    ...v,
    command: z.literal('events'),
    after: z.string().max(128).optional(),
    limit: z.number().int().min(1).max(maxEvents).optional(),
  }),
  /** What can be set while the mesh runs, and what it is set to. */
  z.strictObject({ ...v, command: z.literal('settings') }),
  /** Sets one of them, of the balancers or of a node; null: back to what its environment says. */
  z.strictObject({
    ...v,
    command: z.literal('set'),
    node: nodeName.optional(),
    name: z.string().min(1).max(64),
    value: settingValue.nullable(),
  }),
  /** Ends the user's sessions and denials. */
  z.strictObject({ ...v, command: z.literal('forget'), user: z.string().min(1).max(4096) }),
]);
export type ManageCommand = z.infer<typeof manageCommand>;
type CommandName = ManageCommand['command'];

const viewing: ReadonlySet<CommandName> = new Set([
  'status',
  'plan',
  'where',
  'denials',
  'node',
  'session',
  'history',
  'events',
  'settings',
]);

/** The commands that there are. */
export const manageCommands: readonly CommandName[] = manageCommand.options.map((o) => o.shape.command.value);
/** Whether a command only looks, or changes something. */
export const manageKind = (command: CommandName): 'view' | 'operate' =>
  viewing.has(command) ? 'view' : 'operate';
