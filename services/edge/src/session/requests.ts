import type { Action, Decision } from '@evenkeel/access';
import { BrokerError } from '@evenkeel/broker';
import {
  type ErrorCode,
  errorCodes,
  isTopic,
  maxDataDepth,
  maxKeyBytes,
  noServiceMessage,
  traceContextOf,
} from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { ClientText } from '../frame/client-text.js';
import { errorFrame, forbiddenFrame, laterFrame, okFrame, unknownKindFrame } from '../frame/frames.js';
import type { InboundBody } from '../frame/opaque-body.js';
import type { SessionAccess } from './access.js';
import type { Answers } from './answers.js';
import {
  type AnswerFrame,
  type CancelFrame,
  type HistoryFrame,
  type InboundFrame,
  type Incoming,
  type PresenceFrame,
  type RefreshFrame,
  type RequestFrame,
  readWithin,
} from './inbox.js';
import type { Load, NeverCarried, RefusedFor } from './load.js';
import { notTakenFrame, notTakenMessage } from './not-taken.js';
import type { Inbound, Presence } from './ports.js';
import type { Quota } from './quota.js';
import type { SessionState } from './states.js';
import type { Subscriptions } from './subscriptions.js';

export interface ClientRequestsOptions {
  claims: TicketClaims;
  access: Pick<SessionAccess, 'decide' | 'ask' | 'forbade' | 'isRefreshing' | 'refresh' | 'isRelay'>;
  inbound: Inbound;
  subscriptions: Subscriptions;
  answers: Pick<Answers, 'isOpen' | 'giveUp' | 'cancelled' | 'asks'>;
  presence: Pick<Presence, 'kept' | 'answer'>;
  limits: { requestTimeoutMs: number };
  quota: Quota;
  load: Load;
  /** Lets replies find this session; asked for once, before its first request goes out. */
  takeReplies(): Promise<void>;
  send(frame: string): void;
  /** The client does not heed that it is refused. */
  onOffence(): void;
  now(): number;
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** The limit that it is over. */
  readonly over?: NeverCarried;
}

/** `closed`: the connection is gone. `busy`: it is to be sent again. */
type Outcome = 'allow' | 'forbid' | 'busy' | 'closed';

const nameForm = 'use words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes';
const notHeardMessage = 'it is not known here yet who is there; ask again';
const busyMessage = 'whoever decides cannot be asked now; send it again with the same id';

/** Kinds that a client which has moved sends again, whether they came in time or not. */
const isAskedAnew: ReadonlySet<string> = new Set(['refresh', 'presence', 'answer', 'history']);

const loneSurrogate = /\p{Surrogate}/u;

/** Why it can never be carried, however often it is sent. */
function refusalOf(frame: InboundFrame, key: string): Refusal | undefined {
  const isRequest = frame.t === 'request';
  if (!isTopic(key)) {
    const code = isRequest ? errorCodes.badMethod : errorCodes.badTopic;
    return { code, message: nameForm };
  }
  // Half a character has no UTF-8: two such ids would be carried as one.
  if (loneSurrogate.test(frame.id)) {
    return { code: errorCodes.badId, message: 'the id has a lone surrogate; use well-formed Unicode' };
  }
  // It travels to the service and back as `correlation_id`.
  if (isRequest && Buffer.byteLength(frame.id) > maxKeyBytes) {
    const message = `use an id of at most ${maxKeyBytes} bytes of UTF-8`;
    return { code: errorCodes.badId, message, over: 'idBytes' };
  }
  if (frame.data.depth > maxDataDepth) {
    const message = `data is nested deeper than ${maxDataDepth} levels, which not every service can read`;
    return { code: errorCodes.tooDeep, message, over: 'depth' };
  }
  return undefined;
}

const tooMuch: Readonly<Record<RefusedFor, string>> = {
  frames: 'too many frames a second, of this connection or of its user',
  bytes: 'too many bytes a second, of this connection or of its user',
  waiting: 'the broker does not have what was sent before, of this connection or of its user',
  topics: 'too many topics that nobody here had subscribed, by this user',
  refreshes: 'too many new tokens, of this connection at a time or of its user',
  histories: 'too many histories are asked for already',
};

/** Why the broker does not have it; only what may succeed is to be sent again. */
function failureFrame(id: string, error: unknown): string {
  return error instanceof BrokerError && error.code === 'publish-refused'
    ? errorFrame(id, errorCodes.forbidden, 'the broker refuses it, and will again; ask its operator')
    : notTakenFrame(id, error);
}

/** What one connection asks for: counted, paced, carried out, answered. */
export class ClientRequests {
  /** Frames accepted; `moved` tells the client, which sends the later ones again elsewhere. */
  received = 0;
  readonly #options: ClientRequestsOptions;
  #takesReplies = false;
  /** While replies are being let in, whatever comes meanwhile waits, so that the order stays. Never rejects. */
  #takingReplies: Promise<void> | undefined;
  /** Work under way, with the id of what has to be answered here. */
  readonly #pending = new Map<Promise<void>, string | undefined>();
  #onAnswered: (() => void) | undefined;
  #isClosed = false;
  /** Requests without a reply, with their deadlines, oldest first. */
  readonly #deadlines = new Map<string, number>();

  constructor(options: ClientRequestsOptions) {
    this.#options = options;
  }

  handle(
    frame: RequestFrame | RefreshFrame | CancelFrame | PresenceFrame | AnswerFrame | HistoryFrame,
  ): void {
    const { access, subscriptions, quota, send, answers } = this.#options;
    if (frame.t === 'cancel') return answers.cancelled(frame.re);
    if (this.#isClosed) return;
    if (!isAskedAnew.has(frame.t)) this.received += 1;
    this.#options.load.received += 1;
    switch (frame.t) {
      case 'subscribe':
        if (subscriptions.isNew(frame.topic) && !quota.takesTopicName())
          return this.#tell('topics', frame.id);
        return this.#whilePending(subscriptions.join(frame, frame.id), frame.id);
      case 'unsubscribe':
        subscriptions.leave(frame.topic);
        return send(okFrame(frame.id));
      case 'presence':
        return this.#whilePending(this.#whoIsThere(frame));
      case 'answer':
        return this.#whilePending(this.#answerAsk(frame));
      case 'history':
        return this.#whilePending(this.#read(frame));
      case 'refresh':
        if (access.isRefreshing || !quota.takesRefresh()) return this.#tell('refreshes', frame.id);
        return this.#whilePending(access.refresh(frame));
      default:
        return this.#whilePending(this.#carry(frame), frame.id);
    }
  }

  /** Whether a frame may be sent that does nothing: it counts all the same. */
  takesIgnored(): boolean {
    const isTaken = this.#options.quota.takesFrame();
    if (!isTaken) this.#tell('frames', undefined);
    return isTaken;
  }

  /** Reads a frame; undefined: it is of no known kind, or may not be sent now, and its client was told. */
  read(frame: ClientText, state: SessionState): Exclude<Incoming, { is: 'unknown' }> | undefined {
    const incoming = readWithin(this.#options.quota, frame, state);
    if (incoming.is === 'unknown') {
      this.#options.send(unknownKindFrame(incoming.id, incoming.kind));
      return undefined;
    }
    if (incoming.is !== 'refused') return incoming;
    if (this.#isClosed) return undefined;
    if (incoming.isRequest) {
      this.received += 1;
      this.#options.load.received += 1;
    }
    this.#tell(incoming.why, incoming.id, incoming.bytes);
    return undefined;
  }

  /**
   * Takes nothing more: what comes now, its client sends again elsewhere. Resolves when all that was taken is published or answered; after
   * `timeoutMs` its client is told that it is not.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#answered(timeoutMs);
    for (const id of this.#pending.values()) {
      if (id !== undefined) this.#answer(id, errorFrame(id, errorCodes.brokerUnavailable, notTakenMessage));
    }
  }

  async #answered(timeoutMs: number): Promise<void> {
    if (this.#pending.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onAnswered = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Answers requests that no service has replied to in time. `isBehind`: the client is, so that parts may be there and wait. */
  sweep(nowMs: number, isBehind = false): void {
    const { answers } = this.#options;
    for (const [id, deadline] of this.#deadlines) {
      if (deadline > nowMs) return;
      if (isBehind && answers.isOpen(id)) {
        this.progressed(id);
        continue;
      }
      this.#deadlines.delete(id);
      answers.giveUp(id, 'timed-out');
      this.#options.send(errorFrame(id, errorCodes.requestTimeout, 'no service answered in time; ask again'));
    }
  }

  /** A reply has been written to the connection. */
  replied(id: string): void {
    this.#deadlines.delete(id);
  }

  /** A part of an answer has been written: the next one may take as long as the first. */
  progressed(id: string): void {
    const { limits, now } = this.#options;
    this.#deadlines.delete(id);
    this.#deadlines.set(id, now() + limits.requestTimeoutMs);
  }

  /** A publish is answered once the broker has it; a request by its service, or here if that cannot be. */
  async #carry(frame: InboundFrame): Promise<void> {
    const { quota, load } = this.#options;
    const { id, bytes, data } = frame;
    const body = bytes ?? data.text;
    const key = frame.t === 'request' ? frame.method : frame.topic;
    const refused = refusalOf(frame, key);
    if (refused) {
      if (refused.over) load.neverCarried[refused.over] += 1;
      return this.#answer(id, errorFrame(id, refused.code, refused.message));
    }
    const waitingBytes = bytes?.body.length ?? data.text.length;
    if (!quota.mayWait(waitingBytes)) return this.#tell('waiting', id);
    try {
      const decision = this.#options.access.decide(frame.t, key);
      const verdict =
        decision === 'allow' || decision === 'forbid' ? decision : await this.#asked(decision, frame.t, key);
      if (verdict !== 'allow') return this.#refuse(frame, key, verdict);
      await this.#send(frame, key, body);
    } finally {
      quota.settled(waitingBytes);
    }
  }

  async #send(frame: InboundFrame, key: string, body: InboundBody): Promise<void> {
    const { inbound, access, claims, limits, now } = this.#options;
    const { id } = frame;
    const isRequest = frame.t === 'request';
    // Deleted first: one that is sent again has its place at the end.
    this.#deadlines.delete(id);
    if (isRequest) this.#deadlines.set(id, now() + limits.requestTimeoutMs);
    try {
      if (isRequest && !this.#takesReplies) this.#takingReplies ??= this.#takeReplies();
      if (this.#takingReplies) await this.#takingReplies;
      if (isRequest && !this.#takesReplies) throw new Error('replies would not come back');
      const trace = traceContextOf(frame);
      if (!isRequest && access.isRelay(key)) {
        await inbound.relay(claims, id, key, body, trace);
        return this.#answer(id, okFrame(id));
      }
      const outcome = isRequest
        ? await inbound.request(claims, id, key, body, trace)
        : await inbound.publish(claims, id, key, body, trace);
      if (outcome === 'unrouted') {
        this.#answer(id, errorFrame(id, errorCodes.noService, noServiceMessage(frame.t, key)));
      } else if (!isRequest) this.#answer(id, okFrame(id));
    } catch (error) {
      this.#answer(id, failureFrame(id, error));
    }
  }

  async #answerAsk(frame: AnswerFrame): Promise<void> {
    const { quota, answers, load, send } = this.#options;
    if (frame.data.depth > maxDataDepth) load.neverCarried.depth += 1;
    const waitingBytes = frame.bytes?.body.length ?? frame.data.text.length;
    if (!quota.mayWait(waitingBytes)) return this.#tell('waiting', frame.id);
    send(await answers.asks.answer(frame).finally(() => quota.settled(waitingBytes)));
  }

  async #whoIsThere({ id, topic }: PresenceFrame): Promise<void> {
    const { presence, send } = this.#options;
    if (!(await this.#mayRead(id, topic))) return;
    if (presence.kept(topic) === false)
      return send(errorFrame(id, errorCodes.noPresence, `the namespace of '${topic}' keeps no presence`));
    const answer = await presence.answer(id, topic);
    send(answer ?? errorFrame(id, errorCodes.brokerUnavailable, notHeardMessage));
  }

  async #read(frame: HistoryFrame): Promise<void> {
    if (!(await this.#mayRead(frame.id, frame.topic))) return;
    if (!(await this.#options.subscriptions.read(frame))) this.#tell('histories', frame.id);
  }

  /** Who may subscribe may know who is there, and what was. False: it is answered. */
  async #mayRead(id: string, topic: string): Promise<boolean> {
    const { access, subscriptions, send } = this.#options;
    if (!isTopic(topic)) {
      send(errorFrame(id, errorCodes.badTopic, nameForm));
      return false;
    }
    const decision = subscriptions.isBound(topic) ? 'allow' : access.decide('subscribe', topic);
    const verdict =
      decision === 'allow' || decision === 'forbid'
        ? decision
        : await this.#asked(decision, 'subscribe', topic);
    if (verdict === 'busy') send(laterFrame(id, busyMessage));
    if (verdict === 'forbid') {
      access.forbade('subscribe');
      send(forbiddenFrame(id, 'subscribe to', topic));
    }
    return verdict === 'allow';
  }

  /** What whoever decides says, if what was so before is so still: meanwhile the rules or the token may have changed. */
  async #asked(whom: Exclude<Decision, 'allow' | 'forbid'>, action: Action, key: string): Promise<Outcome> {
    const { access, subscriptions } = this.#options;
    const { is } = await access.ask(whom, action, key);
    if (!subscriptions.isConnected) return 'closed';
    const decision = access.decide(action, key);
    if (decision === 'allow' || decision === 'forbid') return decision;
    // Somebody else decides by now.
    if (decision !== whom) return 'busy';
    return is === 'allow' || is === 'busy' ? is : 'forbid';
  }

  #refuse({ id, t }: InboundFrame, key: string, why: Exclude<Outcome, 'allow'>): void {
    // Nobody is there to be told.
    if (why === 'closed') return;
    if (why === 'busy') return this.#answer(id, laterFrame(id, busyMessage));
    this.#options.access.forbade(t);
    this.#answer(id, forbiddenFrame(id, t === 'publish' ? 'publish to' : 'request', key));
  }

  #tell(why: RefusedFor, id: string | undefined, bytes = 0): void {
    const { quota, send, onOffence } = this.#options;
    // A ping, an answer to nothing: there is nobody who waits.
    if (id !== undefined)
      send(errorFrame(id, errorCodes.rateLimited, `${tooMuch[why]}; slow down and send it again`));
    if (!quota.refuses(why, bytes)) onOffence();
  }

  async #takeReplies(): Promise<void> {
    try {
      await this.#options.takeReplies();
      this.#takesReplies = true;
    } catch {
      // The requests that wait are told, and the next one tries again.
    }
    this.#takingReplies = undefined;
  }

  #answer(id: string, frame: string): void {
    this.#deadlines.delete(id);
    this.#options.send(frame);
  }

  #whilePending(work: Promise<void>, id?: string): void {
    this.#pending.set(work, id);
    void work.finally(() => {
      this.#pending.delete(work);
      if (this.#pending.size === 0) this.#onAnswered?.();
    });
  }
}
