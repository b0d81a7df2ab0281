import { randomUUID } from 'node:crypto';
import {
  Broker,
  BrokerError,
  type BrokerErrorCode,
  type BrokerTls,
  type Delivery,
  type Log,
  type Publisher,
  type PublishOutcome,
  type PublishProperties,
  userOf,
} from '@evenkeel/broker';
import { OwnQueue } from '@evenkeel/mesh';
import {
  type DenialAnswer,
  type DenialsAnswer,
  type DoneAnswer,
  denialAnswer,
  denialsAnswer,
  doneAnswer,
  type EventsAnswer,
  eventsAnswer,
  exchanges,
  type ForgetAnswer,
  forgetAnswer,
  type HistoryAnswer,
  historyAnswer,
  type ManageCommand,
  manageKey,
  manageKind,
  type NodeAnswer,
  nodeAnswer,
  type PlanAnswer,
  planAnswer,
  queues,
  refusalAnswer,
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

/** What every command may be told. */
export interface CommandOptions {
  /** Identity of the command: sent again with the same id it is answered again, not carried out again. */
  id?: string;
  /** For whom it is sent, 1 to 256 characters. Counts from the broker's user `console` alone; plans and audit then name both. */
  onBehalfOf?: string;
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
  /** Closes the connection; idempotent. Waiting commands reject with `closed`. */
  close(): Promise<void>;
}

/** Answers waiting to be read at most. */
const maxReplies = 10_000;

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
    deny: call('deny', denialAnswer),
    allow: call('allow', denialAnswer),
    denials: call('denials', denialsAnswer),
    forget: (user, opts) => call('forget', forgetAnswer)({ user }, opts),
    send: (user, event, body) => calls.send(userKey(toUid(user), event), body),
    execute: (command, opts = {}) => calls.request(command, opts),
    readiness: () => calls.readiness(),
    close: async () => {
      await calls.close();
      await broker.close();
    },
  };
}

interface Waiting {
  /** The command's own identity: sent again, it is answered again and not carried out again. */
  readonly id: string;
  /** On the exchange `mesh.manage`. */
  readonly key: string;
  readonly body: string;
  readonly endsAtMs: number;
  readonly timer: NodeJS.Timeout;
  resolve(answer: unknown): void;
  reject(error: OperatorError): void;
}

/** Requests on `mesh.manage` and their answers on an exclusive reply queue. */
class ManageCalls {
  readonly #broker: Broker;
  readonly #timeoutMs: number;
  readonly #user: string | undefined;
  readonly #waiting = new Map<string, Waiting>();
  readonly #publisher: Publisher;
  readonly #replies: OwnQueue;

  constructor(
    broker: Broker,
    options: { timeoutMs: number; user: string | undefined; log: Log | undefined },
  ) {
    const { timeoutMs, user, log } = options;
    this.#broker = broker;
    this.#timeoutMs = timeoutMs;
    this.#user = user;
    this.#publisher = broker.publisher({ timeoutMs });
    this.#replies = new OwnQueue(broker, {
      name: 'operator',
      arguments: { 'x-max-length': maxReplies },
      onDelivery: (delivery) => this.#answered(delivery),
      // Answers may have gone to the old queue. Commands from before wait, and say now where they are to be answered.
      onRemade: () => {
        for (const [correlationId, waiting] of this.#waiting) void this.#send(correlationId, waiting);
      },
      ...(log === undefined ? {} : { log }),
    });
  }

  async open(): Promise<void> {
    try {
      await this.#replies.start(AbortSignal.timeout(this.#timeoutMs));
    } catch (error) {
      const why = this.#replies.readiness();
      if (why === true) return;
      throw new OperatorError(
        operatorErrorCodes.unreachable,
        `${this.#user ?? 'this user'} has no queue for answers after ${this.#timeoutMs / 1_000} s (${why}); log in as operator or viewer`,
        error,
      );
    }
  }

  /** True, or why no command can be sent or answered. */
  readiness(): true | string {
    const broker = this.#broker.readiness();
    return broker === true ? this.#replies.readiness() : broker;
  }

  request(
    command: { readonly command: ManageCommand['command'] },
    { id = randomUUID(), onBehalfOf }: CommandOptions,
  ): Promise<unknown> {
    const correlationId = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(correlationId)?.reject(
          new OperatorError(
            operatorErrorCodes.timeout,
            `no balancer answered within ${this.#timeoutMs / 1_000} s; check that one runs and try again`,
          ),
        );
      }, this.#timeoutMs);
      const endsAtMs = performance.now() + this.#timeoutMs;
      const key = manageKey(manageKind(command.command), command.command);
      const body = JSON.stringify({ ...command, onBehalfOf });
      const waiting = { id, key, body, endsAtMs, timer, resolve, reject };
      this.#waiting.set(correlationId, waiting);
      if (this.#replies.isReady) void this.#send(correlationId, waiting);
    });
  }

  async send(key: string, body: unknown): Promise<boolean> {
    try {
      return (await this.#publish(exchanges.events, key, JSON.stringify(body), {})) === 'routed';
    } catch (error) {
      throw unreachable(error);
    }
  }

  async close(): Promise<void> {
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id)?.reject(new OperatorError(operatorErrorCodes.closed, 'the operator was closed'));
    }
    await this.#replies.stop();
  }

  /** A balancer that takes it after its time would carry out what was reported as failed: so it expires by then. */
  async #send(correlationId: string, { id, key, body, endsAtMs }: Waiting): Promise<void> {
    const properties = { messageId: id, correlationId, replyTo: this.#replies.name };
    const publish = (exchange: string, routingKey: string) =>
      this.#publish(exchange, routingKey, body, properties, Math.max(1, endsAtMs - performance.now()));
    try {
      if ((await outcomeOf(publish(exchanges.manage, key), 'no-exchange')) === 'routed') return;
      // A balancer of before the exchange has the queue alone, which not everybody may write to.
      if ((await outcomeOf(publish('', queues.manage), 'publish-refused')) === 'routed') return;
      throw new OperatorError(
        operatorErrorCodes.noBalancer,
        `there is no queue ${queues.manage}: no balancer has run on this RabbitMQ; start one`,
      );
    } catch (error) {
      const isRefused = error instanceof BrokerError && error.code === 'publish-refused';
      const user = this.#user ?? 'this user';
      this.#settle(correlationId)?.reject(
        isRefused
          ? new OperatorError(
              operatorErrorCodes.forbidden,
              `RabbitMQ does not let ${user} send ${key}`,
              error,
            )
          : unreachable(error),
      );
    }
  }

  #publish(exchange: string, key: string, body: string, properties: PublishProperties, waitMs?: number) {
    const all: PublishProperties = {
      messageId: randomUUID(),
      timestamp: Math.floor(Date.now() / 1_000),
      contentType: 'application/json',
      mandatory: true,
      // RabbitMQ checks it against the connection's user, so the audit can rely on it.
      userId: this.#user,
      ...properties,
    };
    return this.#publisher.publish(exchange, key, body, all, waitMs);
  }

  #answered(delivery: Delivery): void {
    delivery.ack();
    const waiting = this.#settle(delivery.properties.correlationId ?? '');
    // An answer after its timeout, or a second one: nobody asks for it any more.
    if (waiting === undefined) return;
    let body: unknown;
    try {
      body = JSON.parse(delivery.body.toString('utf8'));
    } catch (cause) {
      waiting.reject(new OperatorError(operatorErrorCodes.badAnswer, 'the answer is not JSON', cause));
      return;
    }
    const refusal = refusalAnswer.safeParse(body);
    if (refusal.success) {
      const { code, message } = refusal.data.error;
      waiting.reject(new OperatorError(code, message, refusal.data));
    } else waiting.resolve(body);
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
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

function unreachable(error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  const message = error instanceof BrokerError ? error.message : `RabbitMQ: ${String(error)}`;
  return new OperatorError(operatorErrorCodes.unreachable, message, error);
}

/** What has become of a message that fails with `code` where there is nobody to take it. */
async function outcomeOf(
  publishing: Promise<PublishOutcome>,
  code: BrokerErrorCode,
): Promise<PublishOutcome> {
  try {
    return await publishing;
  } catch (error) {
    if (error instanceof BrokerError && error.code === code) return 'unrouted';
    throw error;
  }
}
