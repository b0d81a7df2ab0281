import { Broker, type BrokerTls, type ConnectionFigures, type Log, userOf } from '@evenkeel/broker';
import {
  type DenialAnswer,
  type DenialsAnswer,
  type DoneAnswer,
  denialAnswer,
  denialsAnswer,
  doneAnswer,
  type EventsAnswer,
  eventsAnswer,
  type ForgetAnswer,
  forgetAnswer,
  type HistoryAnswer,
  historyAnswer,
  type LeaveAnswer,
  leaveAnswer,
  type ManageCommand,
  type NodeAnswer,
  nodeAnswer,
  type PlanAnswer,
  planAnswer,
  type SessionAnswer,
  type SessionsAnswer,
  type SetAnswer,
  type SettingsAnswer,
  type StatusAnswer,
  sessionAnswer,
  sessionsAnswer,
  setAnswer,
  settingsAnswer,
  statusAnswer,
  toUid,
  userKey,
} from '@evenkeel/protocol';
import type { z } from 'zod';
import { OperatorError, operatorErrorCodes } from './errors.js';
import { type CommandOptions, ManageCalls, unreachable } from './manage-calls.js';

/** How to reach the mesh. */
export interface OperatorOptions {
  /** RabbitMQ, e.g. `amqp://user:password@host:5672`. */
  amqpUrl: string;
  /** How to speak TLS to `amqps://` addresses, beside the authorities that Node trusts. */
  tls?: BrokerTls;
  /** Longest wait for connecting and for each answer. Default 5000. Unread commands expire after it. */
  timeoutMs?: number;
  log?: Log;
}

type ArgumentsOf<C extends ManageCommand['command']> = Omit<
  Extract<ManageCommand, { command: C }>,
  'command' | 'v' | 'onBehalfOf'
>;
type Call<C extends ManageCommand['command'], A> = (
  args?: ArgumentsOf<C>,
  options?: CommandOptions,
) => Promise<A>;

/**
 * Typed client of the management queue. Every method resolves with the balancer's answer, or rejects with an
 * {@link OperatorError}: the balancer's own code where it refused, else one of `operatorErrorCodes`.
 */
export interface Operator {
  status: Call<'status', StatusAnswer>;
  /** What `rebalance` (or, with nodes, `drain`) would do; nothing happens. */
  plan: Call<'plan', PlanAnswer>;
  rebalance: Call<'rebalance', PlanAnswer>;
  drain: Call<'drain', PlanAnswer>;
  cordon: Call<'cordon', DoneAnswer>;
  uncordon: Call<'uncordon', DoneAnswer>;
  /** A broker of several is to be taken down; with `node`, which is to be empty, that edge connects elsewhere too. */
  leaveBroker: Call<'leave-broker', LeaveAnswer>;
  pause: Call<'pause', PlanAnswer>;
  resume: Call<'resume', PlanAnswer>;
  abort: Call<'abort', PlanAnswer>;
  undo: Call<'undo', PlanAnswer>;
  /** One node: what `status` has of it, its limits and settings, what it has counted by reason, and some of its sessions. */
  node(node: string, options?: CommandOptions): Promise<NodeAnswer>;
  /**
   * One session, `<sid>` or `<uid>.<sid>`: where it is, what waits for it, what has happened to it. Rejects with
   * `unknown-session` where no node has it.
   */
  session(session: string, options?: CommandOptions): Promise<SessionAnswer>;
  /** The plans that have ended, newest first; with `before` those before that one. */
  history: Call<'history', HistoryAnswer>;
  /** What has happened in the mesh, oldest first; with `after` what has since then. Ask with `last` of the answer to follow. */
  events: Call<'events', EventsAnswer>;
  /** What can be set while the mesh runs. */
  settings: Call<'settings', SettingsAnswer>;
  /** Sets a setting of the balancers, or with `node` of a node; `value: null` is back to what the environment says. */
  set(setting: ArgumentsOf<'set'>, options?: CommandOptions): Promise<SetAnswer>;
  /** The user's sessions, and on which node each is. */
  where(user: string, options?: CommandOptions): Promise<SessionsAnswer>;
  /** Closes every connection of the user, or one session, and ends what is closed. */
  disconnect(subject: string | { session: string }, options?: CommandOptions): Promise<SessionsAnswer>;
  /** Ends the sessions of a user, one of them, or everybody's; the clients come back through the gateway. */
  sendBack(
    subject: { user: string } | { session: string } | { everybody: true; ratePerSecond?: number },
    options?: CommandOptions,
  ): Promise<SessionsAnswer>;
  /** Keeps a user or a session out of the whole mesh, `untilMs` at most 30 days ahead, and closes what is open. */
  deny: Call<'deny', DenialAnswer>;
  /** Lets a user or a session in again. */
  allow: Call<'allow', DenialAnswer>;
  /** Who is kept out. */
  denials: Call<'denials', DenialsAnswer>;
  /** Ends the user's sessions and denials; the answer says what is not the mesh's to remove. */
  forget(user: string, options?: CommandOptions): Promise<ForgetAnswer>;
  /**
   * Publishes one directed event, `user.<uid>.<event>`, with a confirm.
   * @returns false when the user has no session that takes it.
   */
  send(user: string, event: string, body: unknown): Promise<boolean>;
  /** Sends any command as it stands and resolves with the answer as it came: for what passes commands on. */
  execute(command: ManageCommand, options?: CommandOptions): Promise<unknown>;
  /** Whether commands can be sent and answered at present; else why not. It reconnects by itself. */
  readiness(): true | string;
  /** What its connection to RabbitMQ does at this moment, for metrics. */
  figures(): ConnectionFigures;
  /** Closes the connection; idempotent. Waiting commands reject with `closed`. */
  close(): Promise<void>;
}

/**
 * Connects to the mesh's broker. Each command resolves with the leading balancer's answer; close the operator when done.
 * @throws OperatorError `unreachable`
 */
export async function createOperator(options: OperatorOptions): Promise<Operator> {
  const { amqpUrl, timeoutMs = 5_000, log } = options;
  const broker = await connect(options, timeoutMs);
  const calls = new ManageCalls(broker, { timeoutMs, user: userOf(amqpUrl), log });
  try {
    await calls.open();
  } catch (error) {
    await broker.close();
    throw unreachable(error);
  }
  const call =
    <C extends ManageCommand['command'], S extends z.ZodType>(command: C, schema: S) =>
    async (args: object = {}, opts: CommandOptions = {}): Promise<z.output<S>> => {
      const answer = schema.safeParse(await calls.request({ command, ...args }, opts));
      if (answer.success) return answer.data;
      throw new OperatorError(
        operatorErrorCodes.badAnswer,
        `the answer to ${command} is not understood; operator and balancer may be of different versions`,
        answer.error,
      );
    };
  return {
    status: call('status', statusAnswer),
    plan: call('plan', planAnswer),
    rebalance: call('rebalance', planAnswer),
    drain: call('drain', planAnswer),
    cordon: call('cordon', doneAnswer),
    uncordon: call('uncordon', doneAnswer),
    leaveBroker: call('leave-broker', leaveAnswer),
    pause: call('pause', planAnswer),
    resume: call('resume', planAnswer),
    abort: call('abort', planAnswer),
    undo: call('undo', planAnswer),
    node: (node, opts) => call('node', nodeAnswer)({ node }, opts),
    session: (session, opts) => call('session', sessionAnswer)({ session }, opts),
    history: call('history', historyAnswer),
    events: call('events', eventsAnswer),
    settings: call('settings', settingsAnswer),
    set: call('set', setAnswer),
    where: (user, opts) => call('where', sessionsAnswer)({ user }, opts),
    disconnect: (subject, opts) =>
      call('disconnect', sessionsAnswer)(typeof subject === 'string' ? { user: subject } : subject, opts),
    sendBack: call('send-back', sessionsAnswer),
    deny: call('deny', denialAnswer),
    allow: call('allow', denialAnswer),
    denials: call('denials', denialsAnswer),
    forget: (user, opts) => call('forget', forgetAnswer)({ user }, opts),
    send: (user, event, body) => calls.send(userKey(toUid(user), event), body),
    execute: (command, opts = {}) => calls.request(command, opts),
    readiness: () => calls.readiness(),
    figures: () => broker.figures(),
    close: async () => {
      await calls.close();
      await broker.close();
    },
  };
}

async function connect({ amqpUrl: url, tls, log }: OperatorOptions, timeoutMs: number): Promise<Broker> {
  try {
    return await Broker.connect({
      url,
      name: 'operator',
      attempts: 1,
      connectTimeoutMs: timeoutMs,
      ...(tls && { tls }),
      ...(log === undefined ? {} : { log }),
    });
  } catch (error) {
    throw unreachable(error);
  }
}
