import type { Broker, Consumer, ConsumerChannels, Delivery, Publisher } from '@evenkeel/broker';
import { exchanges, type ManageCommand, manageCommand, queues } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { BalancerMetrics } from '../metrics.js';
import { AnswerMemory } from './answer-memory.js';
import { type Answer, ManageError, refusal } from './answers.js';

export const deadExchange = 'mesh.dead';
export const deadQueue = 'mesh.manage.dead';

/** Larger commands are refused unread. */
export const maxCommandBytes = 65_536;

export interface ManageOptions {
  broker: Broker;
  publisher: Publisher;
  log: Log;
  metrics: BalancerMetrics;
  carryOut(command: ManageCommand, user: string): Promise<Answer>;
}

type Read = { command: ManageCommand } | { refused: Answer };

/** Takes commands from `mesh.manage` while this balancer leads. In order, one at a time but for questions to the edges; none is ever fatal. */
export class ManageServer {
  readonly #options: ManageOptions;
  readonly #consumers: ConsumerChannels;
  readonly #memory = new AnswerMemory();
  #consumer: Consumer | undefined;
  #isWanted = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ManageOptions) {
    this.#options = options;
    this.#consumers = options.broker.consumers({ channels: 1, prefetch: 16 });
  }

  async declare(): Promise<void> {
    await this.#options.broker.declare({
      exchanges: [{ name: deadExchange, type: 'topic' }],
      queues: [
        {
          name: deadQueue,
          arguments: { 'x-max-length': 1000, 'x-overflow': 'drop-head', 'x-message-ttl': 86_400_000 },
        },
        {
          name: queues.manage,
          arguments: {
            'x-message-ttl': 30_000,
            'x-max-length': 10_000,
            'x-dead-letter-exchange': deadExchange,
            'x-dead-letter-routing-key': queues.manage,
          },
        },
      ],
      bindings: [{ queue: deadQueue, exchange: deadExchange, key: queues.manage }],
    });
  }

  async start(): Promise<void> {
    this.#isWanted = true;
    if (this.#consumer !== undefined) return;
    const consumer = await this.#consumers.consume(queues.manage, {
      onDelivery: (d) => {
        // A question to the edges takes up to a second and changes nothing here: others need not wait for it.
        if (isQuestion(d)) void this.#handle(d);
        else this.#last = this.#last.then(() => this.#handle(d));
      },
    });
    if (this.#isWanted && this.#consumer === undefined) this.#consumer = consumer;
    else await consumer.cancel();
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.cancel();
    await this.#last;
  }

  async #handle(d: Delivery): Promise<void> {
    try {
      if (!this.#isWanted) d.requeue();
      else await this.#serve(d);
    } catch (error) {
      this.#options.log.error({ err: error }, 'management message failed');
      this.#deadLetter(d);
    }
  }

  async #serve(d: Delivery): Promise<void> {
    const { properties } = d;
    const user = properties.userId ?? 'anonymous';
    const identity = properties.messageId === undefined ? undefined : `${user} ${properties.messageId}`;
    const known = identity === undefined ? undefined : this.#memory.get(identity, d.body);
    if (known !== undefined) {
      const isSent = await this.#reply(d, known);
      if (isSent) d.ack();
      else this.#deadLetter(d);
      return;
    }
    const read = parse(d);
    let answer: Answer;
    if ('refused' in read) answer = read.refused;
    else answer = await this.#carryOut(read.command, user);
    if (identity !== undefined) this.#memory.set(identity, d.body, answer);
    const name = 'command' in read ? read.command.command : 'unreadable';
    this.#audit(name, 'command' in read ? read.command : undefined, user, answer, properties.messageId);
    const isSent = await this.#reply(d, answer);
    // Carried out is carried out, whether or not anybody wanted to hear of it.
    if (isSent || ('command' in read && answer.ok && isMutating(read.command))) d.ack();
    else this.#deadLetter(d);
  }

  async #carryOut(command: ManageCommand, user: string): Promise<Answer> {
    try {
      return await this.#options.carryOut(command, user);
    } catch (error) {
      if (error instanceof ManageError) return refusal(error.code, error.message);
      this.#options.log.error({ err: error, command: command.command }, 'management command failed');
      return refusal('internal', 'the balancer failed to carry this out; its log has the reason, try again');
    }
  }

  async #reply(d: Delivery, answer: Answer): Promise<boolean> {
    const { replyTo, correlationId } = d.properties;
    if (replyTo === undefined || replyTo === '' || Buffer.byteLength(replyTo) > 255) return false;
    try {
      const outcome = await this.#options.publisher.publish('', replyTo, JSON.stringify(answer), {
        contentType: 'application/json',
        mandatory: true,
        ...(correlationId === undefined ? {} : { correlationId }),
      });
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

  #audit(name: string, command: object | undefined, user: string, answer: Answer, messageId?: string): void {
    const outcome = answer.ok ? 'ok' : answer.error.code;
    this.#options.metrics.answered(name, outcome);
    const plan =
      answer.ok && typeof answer.plan === 'object' && answer.plan !== null ? answer.plan : undefined;
    const planId = plan !== undefined && 'id' in plan ? plan.id : undefined;
    const entry = {
      command: command ?? null,
      user,
      outcome,
      ...(answer.ok ? {} : { error: answer.error.message }),
      ...(planId === undefined || planId === null ? {} : { plan: planId }),
      ...(messageId === undefined ? {} : { messageId }),
    };
    // Those who look look often; the audit has it all the same.
    const isRoutine = answer.ok && name !== 'unreadable' && !mutating.has(name);
    this.#options.log[isRoutine ? 'debug' : 'info'](entry, 'management command');
    this.#options.publisher
      .publish(exchanges.audit, `manage.${name}`, JSON.stringify({ v: 1, at: Date.now(), ...entry }), {
        contentType: 'application/json',
        persistent: true,
      })
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'audit entry not published'));
  }
}

function isQuestion(d: Delivery): boolean {
  const read = parse(d);
  return 'command' in read && (read.command.command === 'where' || read.command.command === 'disconnect');
}

const known = manageCommand.options.map((o) => o.shape.command.value);
const reading: ReadonlySet<string> = new Set(['status', 'plan', 'where']);
const mutating: ReadonlySet<string> = new Set(known.filter((name) => !reading.has(name)));
const isMutating = (c: ManageCommand) => mutating.has(c.command);

/** Reads a message as a command, or says what is wrong with it. */
export function parse(d: Pick<Delivery, 'body' | 'properties'>): Read {
  const { body, properties } = d;
  if (body.length > maxCommandBytes) {
    return {
      refused: refusal('too-large', `the command has ${body.length} bytes; send at most ${maxCommandBytes}`),
    };
  }
  const encoding = properties.contentEncoding;
  if (encoding !== undefined && encoding !== '' && !/^(utf-?8|identity)$/i.test(encoding)) {
    return {
      refused: refusal('bad-encoding', `content encoding ${clip(encoding)} is not read; send plain UTF-8`),
    };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return { refused: refusal('bad-encoding', 'the command is not UTF-8; send JSON in UTF-8') };
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return {
      refused: refusal('bad-json', 'the command is not JSON; send for example {"command": "status"}'),
    };
  }
  const parsed = manageCommand.safeParse(raw);
  if (parsed.success) return { command: parsed.data };
  return { refused: explain(raw, parsed.error.issues) };
}

function explain(raw: unknown, issues: readonly { path: readonly PropertyKey[]; message: string }[]): Answer {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refusal('bad-command', 'a command is a JSON object, for example {"command": "status"}');
  }
  const command = 'command' in raw ? raw.command : undefined;
  if (typeof command !== 'string' || !known.some((k) => k === command)) {
    const given =
      command === undefined
        ? 'there is no "command"'
        : `the command ${clip(JSON.stringify(command))} is unknown`;
    return refusal('unknown-command', `${given}; use one of ${known.join(', ')}`);
  }
  const where = issues.slice(0, 3).map((i) => `${i.path.map(String).join('.') || 'command'}: ${i.message}`);
  return refusal('bad-command', clip(`${command} is not written as it must be: ${where.join('; ')}`, 500));
}

const clip = (text: string, most = 80) => (text.length > most ? `${text.slice(0, most)}…` : text);
