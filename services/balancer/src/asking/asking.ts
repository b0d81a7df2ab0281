import { randomBytes } from 'node:crypto';
import type { Broker, ConsumerChannels, Delivery, Publisher } from '@evenkeel/broker';
import { edgesBeside, isSentTo, type Mesh, type OwnQueue, SharedQueue } from '@evenkeel/mesh';
import {
  answerAddress,
  askErrors,
  askHeader,
  asking,
  askKey,
  errorHeader,
  exchanges,
  isSid,
  methodHeader,
  queues,
  sessionHeader,
  splitSessionRef,
  uidHeader,
  untilHeader,
} from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Question as EdgeQuestion, Found } from '../manage/edge-queries.js';
import { Answers, type Asker } from './answers.js';
import { endOf, type OpenAsk, takeAnswer, timedOut } from './open.js';
import { type AskError, isAnswerable, type Question, readQuestion } from './question.js';

/** Questions in hand whose sessions are not known yet. */
const prefetch = 64;
/** Clients' answers that wait to be looked at. */
const maxAnswers = 20_000;
const maxAnswerBytes = 134_217_728;

export interface AskingOptions {
  readonly mesh: Pick<Mesh, 'ownQueue' | 'user'>;
  readonly connection: Pick<Broker, 'whenOpen'>;
  readonly consumers: Pick<ConsumerChannels, 'consume'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  /** For answers to direct reply-tos: RabbitMQ ends the connection over one that was made up. */
  readonly directAnswers: Pick<Publisher, 'publish'>;
  /** Of this balancer, a word. */
  readonly id: string;
  ask(question: EdgeQuestion): Promise<Found>;
  readonly log: Log;
  wallNow(): number;
  random(): number;
}

/** What is asked. */
interface Asked {
  readonly body: Buffer;
  readonly contentType: string | undefined;
}

/**
 * Takes what services ask users' clients on `mesh.ask`, puts it into the queues of the user's sessions, in its order among the user's
 * events, and brings the answers back to whoever has asked.
 */
export class Asking {
  /** Questions by what has come of them: `answered`, or the code of the error. */
  readonly counts = new Map<string, number>([['answered', 0]]);
  /** Answers that nobody has asked for, or not any more. */
  dropped = 0;
  readonly queue: OwnQueue;
  readonly #options: AskingOptions;
  readonly #questions: SharedQueue;
  readonly #answers: Answers;
  readonly #asker = randomBytes(12).toString('base64url');
  readonly #open = new Map<string, OpenAsk & { timer: NodeJS.Timeout }>();
  readonly #perUser = new Map<string, number>();
  /** Questions to one user, one after another. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(options: AskingOptions) {
    this.#options = options;
    this.#answers = new Answers({ ...options, user: options.mesh.user });
    const isEdge = edgesBeside(options.mesh.user);
    const address = answerAddress(this.#asker);
    this.queue = options.mesh.ownQueue({
      name: `balancer.${options.id}.answers`,
      arguments: { 'x-max-length': maxAnswers, 'x-max-length-bytes': maxAnswerBytes },
      bindings: [{ exchange: exchanges.replies, key: address }],
      onDelivery: (delivery) => {
        delivery.ack();
        const { userId } = delivery.properties;
        const isTheirs = userId !== undefined && isEdge(userId) && delivery.key === address;
        if (isTheirs && isSentTo(delivery, exchanges.replies)) this.#onAnswer(delivery);
        else this.dropped += 1;
      },
    });
    this.#questions = new SharedQueue({
      ...options,
      name: queues.ask,
      prefetch,
      onDelivery: (delivery) => this.#receive(delivery),
      missing: 'services cannot ask clients yet',
    });
  }

  /** Questions that wait for answers. */
  get open(): number {
    return this.#open.size;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.queue.start(signal);
    this.#questions.start();
  }

  /** Whoever waits is told. */
  async stop(): Promise<void> {
    await this.#questions.stop();
    const message = 'the balancer that waited for the answer stops; ask again';
    for (const id of [...this.#open.keys()]) this.#fail(id, { code: askErrors.notReady, message });
    await this.queue.stop();
  }

  #receive(delivery: Delivery): void {
    const { replyTo, correlationId } = delivery.properties;
    if (replyTo === undefined || !isAnswerable(replyTo)) {
      this.#count('no-reply-to');
      return delivery.ack();
    }
    const to = { replyTo, correlationId };
    const read = readQuestion(delivery);
    const question = 'code' in read ? read : (this.#tooMany(read.uid) ?? read);
    if ('code' in question) {
      this.#refuse(to, question);
      return delivery.ack();
    }
    const { uid } = question;
    const id = this.#begin(question, to);
    const { body, properties } = delivery;
    const done = (this.#last.get(uid) ?? Promise.resolve())
      .then(() => this.#passOn(id, question, { body, contentType: properties.contentType }))
      // Whoever takes it once more, if this one dies before, asks it anew.
      .finally(() => delivery.ack());
    this.#last.set(uid, done);
    void done.finally(() => {
      if (this.#last.get(uid) === done) this.#last.delete(uid);
    });
  }

  #tooMany(uid: string): AskError | undefined {
    const { maxPerUser, maxOpen } = asking;
    const isUsers = (this.#perUser.get(uid) ?? 0) >= maxPerUser;
    if (!isUsers && this.#open.size < maxOpen) return undefined;
    const what = isUsers ? `${maxPerUser} questions to this user` : `${maxOpen} questions`;
    return { code: askErrors.tooMany, message: `${what} wait for answers; ask again when some have theirs` };
  }

  #begin(question: Question, to: Asker): string {
    const id = `${this.#asker}.${randomBytes(16).toString('base64url')}`;
    const timer = setTimeout(() => this.#timeOut(id), question.timeoutMs);
    this.#open.set(id, { ...question, ...to, asked: undefined, heard: new Set(), timer });
    this.#perUser.set(question.uid, (this.#perUser.get(question.uid) ?? 0) + 1);
    return id;
  }

  /** Into the queues of the user's sessions; never rejects. */
  async #passOn(id: string, { uid, method, timeoutMs }: Question, what: Asked): Promise<void> {
    const { ask, publisher, mesh, wallNow, log } = this.#options;
    // Its time was over while others of its user were passed on.
    if (!this.#open.has(id)) return;
    const untilMs = wallNow() + timeoutMs;
    try {
      const found = await ask({ command: 'where', uid });
      const open = this.#open.get(id);
      if (open === undefined) return;
      const sessions = found.replies.flatMap((reply) => reply.sessions).filter(({ isBare }) => !isBare);
      open.asked = new Set(sessions.map(({ session }) => splitSessionRef(session).sid));
      // Without a session it would be somebody else's business, on mesh.unrouted.
      const isThere = open.asked.size > 0 || found.missing.length > 0;
      if (
        isThere &&
        (await publisher.publish(exchanges.events, askKey(uid), what.body, {
          contentType: what.contentType ?? 'application/json',
          messageId: id,
          persistent: true,
          mandatory: true,
          userId: mesh.user,
          headers: { [askHeader]: id, [methodHeader]: method, [untilHeader]: untilMs },
        })) !== 'unrouted'
      )
        return;
      this.#fail(id, { code: askErrors.noSession, message: 'the user has no session that could be asked' });
    } catch (error) {
      log.warn({ err: error, method }, 'question not passed on to a user');
      const message = 'not asked: the mesh is busy or its broker is away; try again';
      this.#fail(id, { code: askErrors.notReady, message });
    }
  }

  #onAnswer(delivery: Delivery): void {
    const { correlationId: id = '', headers } = delivery.properties;
    const { [uidHeader]: uid, [sessionHeader]: sid, [errorHeader]: code } = headers;
    const open = this.#open.get(id);
    // Only who was sent the question knows its id: a session of this user, also one that has come since edges were asked.
    if (open === undefined || open.uid !== uid || !isSid(sid)) {
      this.dropped += 1;
      return;
    }
    const turn = takeAnswer(open, sid, typeof code === 'string' ? code : undefined);
    if (turn === 'repeated') this.dropped += 1;
    if (turn === 'passed' || turn === 'last') this.#answers.pass(open, sid, delivery);
    if (turn !== 'last') return;
    if (open.want === 'all') this.#answers.end(open, endOf(open));
    this.#close(id, 'answered');
  }

  #timeOut(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    const how = timedOut(open);
    if ('code' in how) return this.#fail(id, how);
    this.#answers.end(open, how);
    this.#close(id, 'answered');
  }

  #fail(id: string, error: AskError): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#answers.error(open, error);
    this.#close(id, error.code);
  }

  #refuse(to: Asker, error: AskError): void {
    this.#answers.error(to, error);
    this.#count(error.code);
  }

  #close(id: string, outcome: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    clearTimeout(open.timer);
    this.#open.delete(id);
    const others = (this.#perUser.get(open.uid) ?? 1) - 1;
    if (others > 0) this.#perUser.set(open.uid, others);
    else this.#perUser.delete(open.uid);
    this.#count(outcome);
  }

  #count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }
}
