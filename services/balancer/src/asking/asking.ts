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
import type { Unanswered } from '../sessions/guardian.js';
import { Answers, type Asker } from './answers.js';
import { AwayQuestions } from './away.js';
import { Lookups } from './lookups.js';
import { endOf, type OpenAsk, takeAnswer, timedOut } from './open.js';
import { type AskError, isAnswerable, type Question, readQuestion } from './question.js';
import { questionOf, Repeats } from './repeats.js';

/** Questions in hand whose sessions are not known yet: of many users, each with as many as it may have. */
const prefetch = 1_024;
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
  /** What the user has on edges other than those that have answered. */
  unanswered(uid: string, answered: Found['replies']): Unanswered;
  readonly log: Log;
  wallNow(): number;
  random(): number;
}

interface Open extends OpenAsk {
  readonly timer: NodeJS.Timeout;
  /** What tells it from every other. */
  readonly question: string | undefined;
  /** Its deliveries that are not settled: until it is in the queues of sessions. */
  readonly unsettled: Delivery[];
  isPassedOn: boolean;
}

const tooManyAway: AskError = {
  code: askErrors.tooMany,
  message: `${asking.maxPerUser} questions lie in the queue of a session that is away; ask again when it is back`,
};

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
  readonly #open = new Map<string, Open>();
  readonly #perUser = new Map<string, number>();
  readonly #lookups: Lookups<Found>;
  readonly #repeats = new Repeats();
  readonly #away = new AwayQuestions();

  constructor(options: AskingOptions) {
    this.#options = options;
    this.#lookups = new Lookups((uid) => options.ask({ command: 'where', uid }));
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
    const { replyTo, correlationId, userId } = delivery.properties;
    if (replyTo === undefined || !isAnswerable(replyTo, userId)) {
      this.#count('no-reply-to');
      return delivery.ack();
    }
    const { wallNow } = this.#options;
    const to = { replyTo, correlationId };
    const named = questionOf(delivery);
    const known = named === undefined ? undefined : this.#repeats.of(named, delivery, wallNow());
    if (known !== undefined) return this.#repeated(known, delivery);
    const read = readQuestion(delivery, wallNow());
    const question = 'code' in read ? read : (this.#tooMany(read.uid) ?? read);
    if ('code' in question) {
      this.#refuse(to, question);
      return delivery.ack();
    }
    const id = this.#begin(question, to, delivery, named);
    void this.#passOn(id, question, delivery).finally(() => this.#settle(id));
  }

  #repeated(id: string, delivery: Delivery): void {
    this.#count('repeated');
    const open = this.#open.get(id);
    if (open === undefined || open.isPassedOn) delivery.ack();
    else open.unsettled.push(delivery);
  }

  #tooMany(uid: string): AskError | undefined {
    const { maxPerUser, maxOpen } = asking;
    const isUsers = (this.#perUser.get(uid) ?? 0) >= maxPerUser;
    if (!isUsers && this.#open.size < maxOpen) return undefined;
    const what = isUsers ? `${maxPerUser} questions to this user` : `${maxOpen} questions`;
    return { code: askErrors.tooMany, message: `${what} wait for answers; ask again when some have theirs` };
  }

  #begin(asked: Question, to: Asker, delivery: Delivery, question: string | undefined): string {
    const id = `${this.#asker}.${randomBytes(16).toString('base64url')}`;
    const timer = setTimeout(() => this.#timeOut(id), asked.leftMs);
    const untilMs = this.#options.wallNow() + asked.leftMs;
    const fresh = { asked: undefined, heard: new Set<string>(), unsettled: [delivery], isPassedOn: false };
    this.#open.set(id, { ...asked, ...to, ...fresh, untilMs, timer, question });
    this.#perUser.set(asked.uid, (this.#perUser.get(asked.uid) ?? 0) + 1);
    if (question !== undefined) this.#repeats.begin(question, id);
    return id;
  }

  /** Whoever takes it once more, if this one dies before, asks it anew. */
  #settle(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    open.isPassedOn = true;
    for (const delivery of open.unsettled.splice(0)) delivery.ack();
  }

  /** Into the queues of the user's sessions; never rejects. */
  async #passOn(id: string, { uid, method }: Question, { body, properties }: Delivery): Promise<void> {
    const { publisher, mesh, unanswered, wallNow, log } = this.#options;
    try {
      const found = await this.#lookups.find(uid);
      const open = this.#open.get(id);
      if (open === undefined) return;
      const sessions = found.replies.flatMap((reply) => reply.sessions);
      const silent = unanswered(uid, found.replies);
      const able = sessions
        .filter(({ isBare }) => !isBare)
        .map(({ session }) => splitSessionRef(session).sid);
      const known = new Set(sessions.map(({ session }) => splitSessionRef(session).sid));
      // Their edge is silent, or gone and nobody has adopted them yet: their queues are there, and they are asked once they are back.
      const lost = silent.sids.filter((sid) => !known.has(sid));
      open.asked = new Set([...able, ...lost]);
      const isAway = lost.length > 0 || sessions.some(({ isAttached }) => isAttached === false);
      if (!this.#away.mayAsk(uid, isAway)) return this.#fail(id, tooManyAway);
      const isUnsure = lost.length > 0 || found.missing.length > 0 || !silent.isAll;
      // Without a session it would be somebody else's business, on mesh.unrouted.
      const outcome =
        able.length > 0 || isUnsure
          ? await publisher.publish(exchanges.events, askKey(uid), body, {
              contentType: properties.contentType ?? 'application/json',
              messageId: id,
              persistent: true,
              mandatory: true,
              // It is of no use any more then, and what waits in the queue with it is.
              expiration: Math.max(1, open.untilMs - wallNow()),
              userId: mesh.user,
              headers: { [askHeader]: id, [methodHeader]: method, [untilHeader]: open.untilMs },
            })
          : 'unrouted';
      if (outcome !== 'unrouted') return;
      const code = isUnsure ? askErrors.notReady : askErrors.noSession;
      const message = isUnsure
        ? 'not asked: an edge that may have the user does not answer; ask again'
        : 'the user has no session that could be asked';
      this.#fail(id, { code, message });
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
    this.#settle(id);
    this.#open.delete(id);
    const isAnswered = outcome !== askErrors.notReady;
    if (open.question !== undefined)
      this.#repeats.end(open.question, id, isAnswered, this.#options.wallNow());
    const others = (this.#perUser.get(open.uid) ?? 1) - 1;
    if (others > 0) this.#perUser.set(open.uid, others);
    else this.#perUser.delete(open.uid);
    this.#count(outcome);
  }

  #count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }
}
