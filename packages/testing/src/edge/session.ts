import {
  cancelTypes,
  closeCodes,
  type EdgeFrame,
  errorCodes,
  exchanges,
  fromUid,
  type GapReason,
  gapReasons,
  type HelloFrame,
  isTopic,
  isTopicPattern,
  noServiceMessage,
  onlyOnlineHeader,
  partAckHeader,
  partHeader,
  receiptHeader,
  replyExchangeHeader,
  sessionAddress,
  sessionEnded,
  takenKey,
  traceContextOf,
  userKey,
} from '@evenkeel/protocol/wire';
import type { MemoryBroker } from '../broker/broker.js';
import type { Message, Queue } from '../broker/queue.js';
import type { ConnectionHost, EdgeConnection } from './connection.js';
import { bodyOf, type InboundFrame } from './payload.js';
import type { Asked } from './permissions.js';

/** How long an edge that gives a session away waits for the last acknowledgement. */
const lastAckMs = 2_000;
/** The client's heartbeat: none, so that no clock that a test sets makes a client look for a dead socket. */
const heartbeatMs = 2 ** 31 - 1;

export interface SessionLimits {
  readonly window: number;
  readonly lifetimeMs: number;
  readonly requestTimeoutMs: number;
  readonly moveDeadlineMs: number;
}

/** Who may, and whose a token is. */
export interface SessionAccess {
  may(asked: Asked): boolean | Promise<boolean>;
  /** Undefined: nobody's. */
  userOf(token: string): string | undefined;
}

/** Where a session is asked to go. */
export interface Target {
  readonly move: string;
  readonly node: string;
  readonly url: string;
  readonly ticket: string;
}

/** One session: its queue, which outlives its connections, and the connection that has it. */
export class MemorySession implements ConnectionHost {
  readonly #access: SessionAccess;
  readonly uid: string;
  readonly sid: string;
  attached: EdgeConnection | undefined;
  readonly #broker: MemoryBroker;
  readonly #limits: SessionLimits;
  readonly #onEnd: () => void;
  #queue: Queue | undefined;
  readonly #gaps: GapReason[] = [];
  readonly #requests = new Map<string, ReturnType<typeof setTimeout>>();
  /** Requests of whose answers parts have come, and not the end. */
  readonly #streams = new Set<string>();
  #lifetime: ReturnType<typeof setTimeout> | undefined;
  #move: { ticket: string; timer: ReturnType<typeof setTimeout> } | undefined;
  /** The old edge waits for the last acknowledgement. */
  #handover: { from: EdgeConnection; finish(): void } | undefined;

  constructor(
    who: { uid: string; sid: string },
    broker: MemoryBroker,
    limits: SessionLimits,
    access: SessionAccess,
    onEnd: () => void,
  ) {
    this.#access = access;
    this.uid = who.uid;
    this.sid = who.sid;
    this.#broker = broker;
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  get isMoving(): boolean {
    return this.#move !== undefined || this.#handover !== undefined;
  }

  hello(connection: EdgeConnection, { resume = false, topics = [] }: HelloFrame): void {
    clearTimeout(this.#lifetime);
    for (const topic of topics) if (isTopicPattern(topic)) connection.join(topic);
    const from = this.attached;
    if (from && this.#move?.ticket === connection.ticket) return this.#handOver(from, connection);
    if (from) {
      from.giveBack();
      from.shut(closeCodes.superseded.code, closeCodes.superseded.reason);
    }
    this.#attach(connection, resume, false);
  }

  /** Asks the client to move. */
  move(target: Target): void {
    this.#endMove();
    const { moveDeadlineMs: deadlineMs } = this.#limits;
    const timer = setTimeout(() => this.#endMove(), deadlineMs);
    this.#move = { ticket: target.ticket, timer };
    this.attached?.write({ t: 'move', ...target, reason: 'rebalance', deadlineMs, jitterMs: 0 });
  }

  /** What waits is lost; the client is told before the next event. */
  lose(reason: GapReason): void {
    this.#queue?.purge();
    if (this.attached) this.attached.write({ t: 'gap', reason });
    else this.#gaps.push(reason);
  }

  may(action: Asked['action'], topic: string): boolean | Promise<boolean> {
    return this.#access.may({ user: fromUid(this.uid), session: this.sid, action, topic });
  }

  refresh(re: string, token: string): EdgeFrame {
    if (this.#access.userOf(token) === fromUid(this.uid))
      return { t: 'ok', re, data: { pass: `pass of ${token}` } };
    return {
      t: 'error',
      re,
      code: 'bad-credentials',
      message: 'the token is not accepted, or is not this user’s',
    };
  }

  bye(): void {
    const { attached } = this;
    this.end();
    attached?.shut(sessionEnded.code, sessionEnded.reason);
  }

  /** It ends, with what waits for it. */
  end(): void {
    clearTimeout(this.#lifetime);
    this.#endMove();
    for (const timer of this.#requests.values()) clearTimeout(timer);
    this.#requests.clear();
    this.attached = undefined;
    if (this.#queue) this.#broker.deleteQueue(this.#queue);
    this.#queue = undefined;
    this.#onEnd();
  }

  carry(kind: 'publish' | 'request', id: string, key: string, frame: InboundFrame): EdgeFrame | undefined {
    const refuse = (code: string, message: string): EdgeFrame => ({ t: 'error', re: id, code, message });
    if (!isTopic(key)) {
      const code = kind === 'request' ? errorCodes.badMethod : errorCodes.badTopic;
      return refuse(code, 'use words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes');
    }
    const { uid, sid } = this;
    const isRequest = kind === 'request';
    const { requestTimeoutMs } = this.#limits;
    const { body, contentType } = bodyOf(frame);
    const isTaken = this.#broker.publish(exchanges.inbound, key, body, {
      messageId: this.#messageId(id),
      timestamp: Math.floor(Date.now() / 1_000),
      contentType,
      type: kind,
      headers: {
        'evenkeel-user': fromUid(uid),
        'evenkeel-uid': uid,
        'evenkeel-session': sid,
        'evenkeel-node': this.attached?.node ?? '',
        ...(isRequest && { [replyExchangeHeader]: exchanges.replies }),
        ...traceContextOf(frame),
      },
      ...(isRequest && {
        replyTo: sessionAddress(uid, sid),
        correlationId: id,
        expiration: requestTimeoutMs,
      }),
    });
    if (!isTaken) return refuse(errorCodes.noService, noServiceMessage(kind, key));
    if (!isRequest) return { t: 'ok', re: id };
    this.#forget(id);
    const late = (): void => {
      this.#requests.delete(id);
      this.attached?.write(refuse(errorCodes.requestTimeout, 'no service answered in time; ask again'));
    };
    this.#requests.set(id, setTimeout(late, requestTimeoutMs));
    return undefined;
  }

  parted(id: string): void {
    this.#forget(id);
    this.#streams.add(id);
  }

  replied(id: string): boolean {
    this.#forget(id);
    return this.#streams.delete(id);
  }

  cancel(id: string): void {
    const isOpen = this.#requests.has(id) || this.#streams.has(id);
    this.replied(id);
    if (isOpen) this.#tell(this.#messageId(id), cancelTypes.cancelled, { id: this.#messageId(id) });
  }

  received({ properties }: Message): void {
    const { headers = {}, correlationId = '', messageId } = properties;
    const [word, ackWord] = [headers[receiptHeader], headers[partAckHeader]];
    if (typeof ackWord === 'string')
      this.#tell(takenKey(ackWord), cancelTypes.taken, {
        id: this.#messageId(correlationId),
        n: headers[partHeader],
      });
    if (typeof word !== 'string') return;
    const receipt = { id: messageId, user: fromUid(this.uid), session: this.sid, at: Date.now() };
    this.#tell(takenKey(word), cancelTypes.receipt, receipt);
  }

  /** What became of a request or an event, to whoever listens. */
  #tell(key: string, type: string, body: object): void {
    this.#broker.publish(exchanges.cancel, key, Buffer.from(JSON.stringify(body)), { type });
  }

  /** Of what the client has sent under this id. */
  #messageId(id: string): string {
    return `${this.uid}.${this.sid}.${id}`;
  }

  #forget(id: string): void {
    clearTimeout(this.#requests.get(id));
    this.#requests.delete(id);
  }

  acknowledged(connection: EdgeConnection): void {
    if (this.#handover?.from === connection) this.#handover.finish();
  }

  ended(connection: EdgeConnection): void {
    if (this.#handover?.from === connection) return this.#handover.finish();
    if (this.attached !== connection) return;
    this.#endMove();
    this.attached = undefined;
    connection.giveBack();
    this.#lifetime = setTimeout(() => this.end(), this.#limits.lifetimeMs);
    this.#lifetime.unref?.();
  }

  /** PROTOCOL.md, section 4: `moved` on the old socket, its last acknowledgement, `welcome` on the new one. */
  #handOver(from: EdgeConnection, to: EdgeConnection): void {
    const mark = `${from.id}.${from.seq}`;
    from.stop();
    from.leaveAll();
    to.write({ t: 'mark', mark });
    from.write({ t: 'moved', seq: from.seq, received: from.calls, mark });
    from.isMoved = true;
    const finish = (): void => {
      clearTimeout(timer);
      this.#handover = undefined;
      this.#endMove();
      from.giveBack();
      if (!to.isGone) return this.#attach(to, true, true);
      this.attached = undefined;
      this.#lifetime = setTimeout(() => this.end(), this.#limits.lifetimeMs);
    };
    const timer = setTimeout(finish, lastAckMs);
    this.#handover = { from, finish };
    if (from.isAcknowledged) finish();
  }

  #attach(connection: EdgeConnection, resume: boolean, isMove: boolean): void {
    const resumed = this.#queue !== undefined;
    if (!isMove) this.#queue?.drop(({ properties }) => properties.headers?.[onlyOnlineHeader] === true);
    this.#queue ??= this.#open();
    this.attached = connection;
    connection.write({
      t: 'welcome',
      session: this.sid,
      node: connection.node,
      resumed,
      heartbeatMs,
      window: this.#limits.window,
      connection: connection.id,
      generation: 0,
    });
    if (resume && !resumed) connection.write({ t: 'gap', reason: gapReasons.sessionExpired });
    for (const reason of this.#gaps.splice(0)) connection.write({ t: 'gap', reason });
    if (resume && !isMove) {
      for (const topic of connection.topics)
        connection.write({ t: 'gap', topic, reason: gapReasons.connectionLost });
    }
    connection.consume(this.#queue);
  }

  #open(): Queue {
    const address = sessionAddress(this.uid, this.sid);
    const options = { durable: true, exclusive: false, autoDelete: false, arguments: {} };
    const queue = this.#broker.declareQueue(address, options);
    this.#broker.bind(queue, exchanges.events, userKey(this.uid, '#'));
    this.#broker.bind(queue, exchanges.replies, address);
    return queue;
  }

  #endMove(): void {
    clearTimeout(this.#move?.timer);
    this.#move = undefined;
  }
}
