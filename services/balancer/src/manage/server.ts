import type { Broker, Delivery, Publisher, Topology } from '@evenkeel/broker';
import { Arrivals, OwnQueue } from '@evenkeel/mesh';
import { LogLimit, wallNow } from '@evenkeel/pace';
import { exchanges, type ManageCommand, manageKey, meshTopology, queues } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { BalancerMetrics } from '../metrics.js';
import { nameOf, refuseEntry, type Sender, senderOf } from './admission.js';
import { AnswerMemory } from './answer-memory.js';
import { type Answer, ManageError, refusal } from './answers.js';
import {
  looksBurst,
  QuestionLimit,
  questionsBurst,
  questionsPerSecond,
  refusalsBurst,
  refusalsPerSecond,
} from './question-limit.js';
import { isMutating, type Read, read } from './read.js';
import { directReplyPrefix, isReplyAddress } from './reply-address.js';

const deadExchange = 'mesh.dead';
const deadQueue = 'mesh.manage.dead';
/** An answer nobody has taken after this is of no use, where the command did not say how long its sender waits. */
const answerExpireMs = 30_000;

/** Refusals of a flood are sent only while fewer messages than this wait for the broker: commands to edges go the same way. */
const maxOutstanding = 1_000;

/** What the connection of a {@link ManageServer} declares. */
export const manageTopology: Topology = {
  exchanges: [
    ...meshTopology.exchanges.filter(({ name }) => name === exchanges.manage),
    { name: deadExchange, type: 'topic' },
  ],
};

export interface ManageOptions {
  /** Commands are consumed on the connection that leadership hangs on: whoever cannot lead any more gets none. */
  broker: Broker;
  /** What its queues have among their arguments. */
  durableArguments?: Readonly<Record<string, unknown>>;
  publisher: Publisher;
  /** Of a connection for answers to direct reply-tos alone: RabbitMQ ends the connection over one that was made up. */
  directAnswers: Publisher;
  log: Log;
  metrics: BalancerMetrics;
  /** Whether this balancer leads for certain. */
  mayAct(): Promise<boolean>;
  /** Users whose commands by the default exchange may change something; `anonymous`: those without a `user_id`, by any way. */
  operators: ReadonlySet<string>;
  /** `by`: who asks. `leftMs`: how long the sender still waits. */
  execute(command: ManageCommand, by: string, leftMs: () => number): Promise<Answer>;
  /** Something that was to change anything has been carried out, or refused. */
  onAudited(command: ManageCommand, by: string, answer: Answer): void;
}

/** One message in hand. */
interface Received {
  readonly delivery: Delivery;
  readonly read: Read;
  readonly leftMs: () => number;
}

/**
 * Takes commands from `mesh.manage` while this balancer leads. In order, one at a time but for questions to the edges; none is
 * ever fatal. One whose sender has stopped waiting is not carried out.
 */
export class ManageServer {
  readonly #options: ManageOptions;
  readonly #queue: OwnQueue;
  readonly #deadLetters: OwnQueue;
  readonly #memory = new AnswerMemory();
  readonly #arrivals = new Arrivals();
  readonly #questions = new QuestionLimit();
  readonly #looks = new QuestionLimit(questionsPerSecond, looksBurst);
  readonly #refusals = new QuestionLimit(refusalsPerSecond, refusalsBurst);
  readonly #misdirectedLog = new LogLimit(1_000);
  readonly #floodLog = new LogLimit(10_000);
  #isServing = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ManageOptions) {
    this.#options = options;
    const { broker, durableArguments, log } = options;
    this.#queue = new OwnQueue(broker, {
      name: queues.manage,
      isDurable: true,
      arguments: {
        ...durableArguments,
        'x-message-ttl': 30_000,
        'x-max-length': 10_000,
        'x-dead-letter-exchange': deadExchange,
        'x-dead-letter-routing-key': queues.manage,
      },
      bindings: (['view', 'operate'] as const).map((kind) => ({
        exchange: exchanges.manage,
        key: manageKey(kind, '*'),
      })),
      prefetch: 16,
      isConsumed: false,
      onDelivery: (delivery) => this.#receive(delivery),
      log,
    });
    this.#deadLetters = new OwnQueue(broker, {
      name: deadQueue,
      isDurable: true,
      arguments: {
        ...durableArguments,
        'x-max-length': 1000,
        'x-overflow': 'drop-head',
        'x-message-ttl': 86_400_000,
      },
      bindings: [{ exchange: deadExchange, key: queues.manage }],
      log,
    });
  }

  readiness(): true | string {
    const readiness = this.#queue.readiness();
    return readiness === true ? this.#deadLetters.readiness() : readiness;
  }

  /** Has its queues there, and takes nothing from them. */
  async start(signal?: AbortSignal): Promise<void> {
    this.#arrivals.start();
    await Promise.all([this.#queue.start(signal), this.#deadLetters.start(signal)]);
  }

  async stop(): Promise<void> {
    await this.rest();
    await Promise.all([this.#queue.stop(), this.#deadLetters.stop()]);
    this.#arrivals.stop();
  }

  /** Takes commands from now on. */
  async serve(): Promise<void> {
    this.#isServing = true;
    await this.#queue.consume();
  }

  /** Takes no more. Resolves when the last one is answered; what is waiting goes back to the queue. */
  async rest(): Promise<void> {
    this.#isServing = false;
    await this.#queue.pause();
    await this.#last;
  }

  #receive(delivery: Delivery): void {
    const received = { delivery, read: read(delivery), leftMs: this.#arrivals.countDown(delivery) };
    // A question to the edges takes up to a second and changes nothing here: others need not wait for it.
    if (isQuestion(received.read)) void this.#handle(received);
    else this.#last = this.#last.then(() => this.#handle(received));
  }

  async #handle(received: Received): Promise<void> {
    const { delivery, leftMs } = received;
    try {
      if (!this.#isServing || !(await this.#options.mayAct())) return delivery.requeue();
      // Its sender has reported it as failed.
      if (leftMs() <= 0) return this.#deadLetter(delivery);
      await this.#serve(received);
    } catch (error) {
      this.#options.log.error({ err: error }, 'management message failed');
      this.#deadLetter(delivery);
    }
  }

  async #serve({ delivery: d, read, leftMs }: Received): Promise<void> {
    const { properties } = d;
    const command = 'command' in read ? read.command : undefined;
    const sender = senderOf(d, command);
    const refused = command && refuseEntry(d, command, this.#options.operators);
    const isLook =
      command === undefined || refused !== undefined || !(isMutating(command) || isQuestion(read));
    if (isLook && !this.#looks.tryTake(sender, performance.now())) return this.#refuseFlood(d, read, sender);
    if (properties.replyTo && !isReplyAddress(properties.replyTo)) {
      this.#refuseReplyAddress(d, read, sender);
      return;
    }
    if (refused !== undefined) return await this.#finish(d, read, sender, refused);
    const { messageId } = properties;
    const identity = messageId === undefined ? undefined : `${sender.user} ${messageId}`;
    const known = identity === undefined ? undefined : this.#memory.get(identity, d.body);
    if (known !== undefined) {
      if (isDirect(d) ? this.#replyMeanwhile(d, known) : await this.#reply(d, known)) d.ack();
      else this.#deadLetter(d);
      return;
    }
    if (isQuestion(read) && !this.#questions.tryTake(sender, performance.now()))
      return this.#refuseFlood(d, read, sender);
    const answer = 'refused' in read ? read.refused : await this.#execute(read.command, sender, leftMs);
    if (identity !== undefined) this.#memory.set(identity, d.body, answer);
    await this.#finish(d, read, sender, answer);
  }

  async #finish(d: Delivery, read: Read, sender: Sender, answer: Answer): Promise<void> {
    this.#audit(read, sender, answer, d.properties.messageId);
    // One that was made up is never confirmed, and is to hold up nobody.
    const isSent = isDirect(d) ? this.#replyMeanwhile(d, answer) : await this.#reply(d, answer);
    // Carried out is carried out, whether or not anybody wanted to hear of it.
    if (isSent || ('command' in read && answer.ok && isMutating(read.command))) d.ack();
    else this.#deadLetter(d);
  }

  /** Nothing is carried out, and whoever owns that queue hears nothing. */
  #refuseReplyAddress(d: Delivery, read: Read, sender: Sender): void {
    const { replyTo = '', messageId } = d.properties;
    const suppressed = this.#misdirectedLog.pass(performance.now());
    if (suppressed !== undefined) {
      this.#options.log.warn(
        { user: sender.user, replyTo, suppressed },
        'no answer may go there: command refused',
      );
    }
    const message = `no answer may go to ${replyTo}: use a queue operator.… or api.answers.…, one that RabbitMQ has named, or direct reply-to`;
    this.#audit(read, sender, refusal('bad-reply-to', message), messageId);
    this.#deadLetter(d);
  }

  /** Without waiting for anything, and without the audit: a flood is to hold up nobody. */
  #refuseFlood(d: Delivery, read: Read, sender: Sender): void {
    const code = 'rate-limited';
    const { metrics, publisher, directAnswers, log } = this.#options;
    metrics.answered(nameIn(read), code);
    const suppressed = this.#floodLog.pass(performance.now());
    if (suppressed !== undefined) {
      log.info(
        { by: sender.user, command: nameIn(read), reason: code, suppressed },
        'management command refused',
      );
    }
    const atOnce = isQuestion(read) ? questionsBurst : looksBurst;
    const most = `${questionsPerSecond} a second by one user, ${atOnce} at once`;
    // An answer costs as much as a command.
    const isAnswerable =
      this.#refusals.tryTake(sender, performance.now()) &&
      publisher.outstanding + directAnswers.outstanding < maxOutstanding &&
      isReplyAddress(d.properties.replyTo ?? '');
    if (isAnswerable) void this.#reply(d, refusal(code, `too many commands that only look: at most ${most}`));
    d.ack();
  }

  async #execute(command: ManageCommand, sender: Sender, leftMs: () => number): Promise<Answer> {
    try {
      return await this.#options.execute(command, nameOf(sender), leftMs);
    } catch (error) {
      if (error instanceof ManageError) return refusal(error.code, error.message);
      this.#options.log.error({ err: error, command: command.command }, 'management command failed');
      return refusal('internal', 'the balancer failed to carry this out; its log has the reason, try again');
    }
  }

  #replyMeanwhile(d: Delivery, answer: Answer): true {
    void this.#reply(d, answer);
    return true;
  }

  async #reply(d: Delivery, answer: Answer): Promise<boolean> {
    const { replyTo, correlationId, expiration } = d.properties;
    if (replyTo === undefined || replyTo === '') return false;
    const { publisher, directAnswers } = this.#options;
    try {
      const outcome = await (isDirect(d) ? directAnswers : publisher).publish(
        '',
        replyTo,
        JSON.stringify(answer),
        {
          contentType: 'application/json',
          mandatory: true,
          expiration: expiration ?? answerExpireMs,
          ...(correlationId === undefined ? {} : { correlationId }),
        },
      );
      return outcome === 'routed';
    } catch (error) {
      this.#options.log.warn({ err: error, replyTo }, 'answer not sent');
      return false;
    }
  }

  #deadLetter(d: Delivery): void {
    this.#options.metrics.deadLettered();
    d.drop();
  }

  #audit(read: Read, sender: Sender, answer: Answer, messageId?: string): void {
    const name = nameIn(read);
    const outcome = answer.ok ? 'ok' : answer.error.code;
    this.#options.metrics.answered(name, outcome);
    const plan =
      answer.ok && typeof answer.plan === 'object' && answer.plan !== null ? answer.plan : undefined;
    const planId = plan !== undefined && 'id' in plan ? plan.id : undefined;
    const entry = {
      command: 'command' in read ? read.command : null,
      ...sender,
      outcome,
      ...(answer.ok ? {} : { error: answer.error.message }),
      ...(planId === undefined || planId === null ? {} : { plan: planId }),
      ...(messageId === undefined ? {} : { messageId }),
    };
    if ('command' in read && isMutating(read.command))
      this.#options.onAudited(read.command, nameOf(sender), answer);
    // Those who look look often; the audit has it all the same.
    const isRoutine = answer.ok && 'command' in read && !isMutating(read.command);
    this.#options.log[isRoutine ? 'debug' : 'info'](entry, 'management command');
    this.#options.publisher
      .publish(exchanges.audit, `manage.${name}`, JSON.stringify({ v: 1, at: wallNow(), ...entry }), {
        contentType: 'application/json',
        persistent: true,
      })
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'audit entry not published'));
  }
}

const isDirect = ({ properties }: Delivery): boolean =>
  properties.replyTo?.startsWith(directReplyPrefix) ?? false;

const nameIn = (read: Read) => ('command' in read ? read.command.command : 'unreadable');

/** Those that every edge is asked. */
const questions: ReadonlySet<ManageCommand['command']> = new Set([
  'where',
  'disconnect',
  'send-back',
  'forget',
  'session',
  'node',
]);

function isQuestion(read: Read): boolean {
  return 'command' in read && questions.has(read.command.command);
}
