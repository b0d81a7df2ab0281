/**
 * Names on the broker: exchanges, queues, routing keys, and how ids are carried in them.
 * Source: PROTOCOL.md, "Names on the broker". Nothing here needs zod or Node.
 */

/** WebSocket subprotocol of this version. */
export const subprotocol = 'evenkeel.v1';

export const exchanges = {
  /** Topic exchange: domain events in. */
  events: 'mesh.events',
  /** Topic exchange: what clients send. */
  inbound: 'mesh.inbound',
  /** Topic exchange: `stats.<node>`, `moves.<node>` and `sessions.<node>`, and `policy` from the balancer. */
  stats: 'mesh.stats',
  /** Topic exchange: `edge.<node>`, `all`, `fence.<…>`, `mark.<node>`, `reply.<…>`. */
  control: 'mesh.control',
  /** Direct exchange: services' replies to clients' requests; key = the session's address, {@link sessionQueue}. */
  replies: 'mesh.replies',
  /** Topic exchange: requests whose clients want no answer any more; key = the request's `message_id`. And which parts were taken. */
  cancel: 'mesh.cancel',
  /** Fanout exchange: alternate exchange of `mesh.events`. */
  unrouted: 'mesh.unrouted',
  /** Topic exchange: directed events that were dropped for a session, with their own keys; headers say why and whose. */
  undelivered: 'mesh.undelivered',
  /** Topic exchange: `<uid>.opened`, `.detached`, `.resumed`, `.ended`: what becomes of sessions. */
  sessions: 'mesh.sessions',
  /** Fanout exchange: what RabbitMQ drops from sessions' queues, as it hands it on. */
  dropped: 'mesh.dropped',
  /**
   * Topic exchange: who is in which topic, `edge.<node>` from edges, `copy.<id>` and `snapshot.<node>` between them and who keeps a
   * copy; `ask.<…>` and `answer.<…>` with applications.
   */
  presence: 'mesh.presence',
  /** Topic exchange: `join.<topic…>` and `leave.<topic…>`, by which services put users' sessions into topics. */
  topics: 'mesh.topics',
  /** Topic exchange: `<uid>.<method…>`, by which services ask users' clients; to the queue of the same name. */
  ask: 'mesh.ask',
  /** Topic exchange: operators' commands, `view.<command>` and `operate.<command>`, to the queue of the same name. */
  manage: 'mesh.manage',
  /** Topic exchange: every management command and what came of it. */
  audit: 'mesh.audit',
} as const;

/** Header of a published message: when that was, ms since the epoch. AMQP's `timestamp` has whole seconds. */
export const atHeader = 'evenkeel-at';

/** What a message on `mesh.inbound` is: by its `type`; without one, by whether an answer is wanted. Undefined: neither. */
export function inboundKind(
  type: string | undefined,
  replyTo: string | undefined,
): 'publish' | 'request' | undefined {
  if (type === undefined || type === '') return replyTo === undefined ? 'publish' : 'request';
  return type === 'publish' || type === 'request' ? type : undefined;
}

/** Header of a request: the exchange that its replies go to. Without it, from an older edge: the default exchange. */
export const replyExchangeHeader = 'evenkeel-reply-exchange';

/** Header of a part of an answer: which one, from 0. The last message of the answer has none. */
export const partHeader = 'evenkeel-part';
/** Header of the last message of an answer: how many parts came before it. */
export const partsHeader = 'evenkeel-parts';
/** Header of a part whose service wants to know when the client has acknowledged it; one word, see {@link takenKey}. */
export const partAckHeader = 'evenkeel-part-ack';
/** Key on `mesh.cancel` of who sent that word. No message id begins so: no client can say `$`. */
export const takenKey = (word: string): string => `$taken.${word}`;
/** `type` of a message on `mesh.cancel`: the client has cancelled its request, has taken parts of the answer, or an event. */
export const cancelTypes = { cancelled: 'cancel', taken: 'taken', receipt: 'receipt' } as const;

/** Header of the message at the head of a session's queue which says that nothing was dropped untold; its name. */
export const sealHeader = 'evenkeel-seal';
/**
 * Values of {@link sealHeader}, and of {@link historyHeader}, that stand where messages went past: the binding had gone when the first
 * was published, and was there again when the second was.
 */
export const lossMarks = { begin: '~lost', end: '~back' } as const;
/** Value of {@link sealHeader} of the last message of a queue whose place another one of its session has taken, and its key. */
export const lastMark = '~last';
/** Headers of a message on `mesh.undelivered`: why it was dropped, and for which session. */
export const whyHeader = 'evenkeel-why';
export const sessionHeader = 'evenkeel-session';
/** Headers of what a client has sent: who that is, and the carried form of it. */
export const userHeader = 'evenkeel-user';
export const uidHeader = 'evenkeel-uid';

/** Header of a directed event: only the newest of this key is sent, of those that an edge keeps back for a slow client. */
export const collapseHeader = 'evenkeel-collapse';
/** Header of a directed event, `true`: it is not for sessions that have no connection when it is published. */
export const onlyOnlineHeader = 'evenkeel-only-online';

/**
 * Header of a directed event whose publisher wants to know when a client has acknowledged it; one word. The receipt goes to
 * {@link takenKey}.
 */
export const receiptHeader = 'evenkeel-receipt';

/** Header of a message of a live table: what of it the message is about. */
export const keyHeader = 'evenkeel-key';
/** Header of the record that the mesh puts into an empty history stream; it is no message. */
export const historyHeader = 'evenkeel-history';
/** The stream with the messages of a namespace's topics; also the key on `mesh.replies` by which its first record comes. */
export const historyQueue = (namespace: string): string => `history.${namespace}`;

/** What becomes of sessions: the second words of keys on `mesh.sessions`. */
export const happenings = ['opened', 'detached', 'resumed', 'ended'] as const;
export type Happening = (typeof happenings)[number];
/** Key of what has happened to a session of this user. */
export const happeningKey = (uid: string, what: Happening): string => `${uid}.${what}`;

/** Key on `mesh.inbound` by which edges ask a gateway for the pass of a new token. No client can say `$`. */
export const refreshKey = '$refresh';

export const queues = {
  /** What applications ask on `mesh.presence`, shared by all edges. */
  asked: 'mesh.presence.asked',
  /** What services order on the exchange of the same name; one balancer at a time takes it. */
  topics: 'mesh.topics',
  /** What services ask clients; one balancer at a time takes it. */
  ask: 'mesh.ask',
  /** What `mesh.dropped` carries, shared by all edges. */
  dropped: 'mesh.dropped',
  /** Operators' commands, request/reply. */
  manage: 'mesh.manage',
  /** A stream: who is kept out. Every gateway, edge and balancer reads it from its first record. */
  denials: 'mesh.denials',
  /** New tokens of open sockets, shared by all gateways. */
  refresh: 'gateway.refresh',
} as const;

/** The queue that is there while an operator keeps clients from this node; nothing comes to it. */
export const cordonMark = (node: string): string => `mesh.cordon.${node}`;

/** Longest routing key AMQP carries, in bytes. */
export const maxKeyBytes = 255;
/** Longest user id that can be carried, in UTF-8 bytes. */
export const maxUserIdBytes = 96;
/** Longest topic name (without the leading `topic.`), in bytes. */
export const maxTopicBytes = 200;

const plainId = /^[\w-]{1,64}$/;
const carriedId = /^(?:[\w-]{1,64}|~[\w-]{1,128})$/;
const loneSurrogate = /\p{Surrogate}/u;
const proofForm = /^[\w-]{1,16300}\.[\w-]{1,84}$/;
const topicForm = /^[\w~-]+(?:\.[\w~-]+)*$/;
const patternForm = /^(?:[\w~-]+|\*|#)(?:\.(?:[\w~-]+|\*|#))*$/;

/**
 * Thrown where an id cannot be carried. `code` is stable.
 * @example
 * try {
 *   topicWord('');
 * } catch (error) {
 *   if (error instanceof NameError) console.log(error.code); // bad-topic
 * }
 */
export class NameError extends Error {
  readonly code: 'bad-user-id' | 'bad-session-id' | 'bad-topic';
  constructor(code: NameError['code'], message: string) {
    super(message);
    this.name = 'NameError';
    this.code = code;
  }
}

// A regular expression takes anything for its text: `['a']` would pass for `a`, 42 for a user's id. So each asks for a string first.
const isOf = (form: RegExp, value: unknown): value is string => typeof value === 'string' && form.test(value);

/** Is `value` a user id in its carried form (`<uid>`), as {@link toUid} makes it? */
export const isUid = (value: unknown): value is string => isOf(carriedId, value) && isCarried(value);
/** Is `value` a session id? `[A-Za-z0-9_-]{1,64}`. */
export const isSid = (value: unknown): value is string => isOf(plainId, value);
/** Is `value` a pass or a resume token, as far as that can be seen: base64url in two parts, at most 16,384 bytes? */
export const isProof = (value: unknown): value is string => isOf(proofForm, value);
/** Is `value` the name of an edge? `[A-Za-z0-9_-]{1,64}`. */
export const isNodeName = (value: unknown): value is string => isOf(plainId, value);
/** Is `value` a topic name: words of `[A-Za-z0-9_~-]` joined by dots, at most 200 bytes, no wildcards? */
export const isTopic = (value: unknown): value is string =>
  isOf(topicForm, value) && value.length <= maxTopicBytes;
/** As {@link isTopic}, but each word may be `*` (one word) or `#` (any number), as in a binding key; at most 200 bytes. */
export const isTopicPattern = (value: unknown): value is string =>
  isOf(patternForm, value) && value.length <= maxTopicBytes;

/**
 * The form in which a user id travels in routing keys and queue names: itself when it is
 * `[A-Za-z0-9_-]{1,64}`, else `~` + its base64url (UTF-8, no padding). One word, injective.
 * @throws NameError `bad-user-id` when it is no string, no well-formed Unicode, empty, or over 96 UTF-8 bytes.
 */
export function toUid(userId: string): string {
  if (typeof userId !== 'string') {
    throw new NameError('bad-user-id', `the user id is ${kindOf(userId)}; give a string of 1 to 96 bytes`);
  }
  if (plainId.test(userId)) return userId;
  // Half a character has no UTF-8: two such ids would be carried as one.
  if (loneSurrogate.test(userId)) {
    throw new NameError('bad-user-id', 'the user id has a lone surrogate; give well-formed Unicode');
  }
  const bytes = new TextEncoder().encode(userId);
  if (bytes.length === 0)
    throw new NameError('bad-user-id', 'the user id is empty; give one of 1 to 96 bytes');
  if (bytes.length > maxUserIdBytes) {
    throw new NameError(
      'bad-user-id',
      `the user id has ${bytes.length} bytes; give one of at most ${maxUserIdBytes} (UTF-8)`,
    );
  }
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `~${btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')}`;
}

/** What `value` is, for a message to whoever gave it: `undefined`, `an array`, `a number`, … */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const kind = Array.isArray(value) ? 'array' : typeof value;
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** The user id behind its carried form; the inverse of {@link toUid}. */
export function fromUid(uid: string): string {
  if (!uid.startsWith('~')) return uid;
  const binary = atob(uid.slice(1).replace(/-/g, '+').replace(/_/g, '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
}

/** Whoever is told of a user may be given anything: what carries no id is none, and of two forms for one id only the right one counts. */
function isCarried(uid: string): boolean {
  try {
    return !uid.startsWith('~') || toUid(fromUid(uid)) === uid;
  } catch {
    return false;
  }
}

/** A session's queue by its name: generation 0 is the one that the session began with. */
export interface SessionQueueName {
  uid: string;
  sid: string;
  generation: number;
}

const generationForm = /^[1-9][0-9]{0,8}$/;

/** Queue of one session: `session.<uid>.<sid>`, and `session.<uid>.<sid>.<n>` for later generations. */
export const sessionQueue = (uid: string, sid: string, generation = 0): string =>
  generation === 0 ? `session.${uid}.${sid}` : `session.${uid}.${sid}.${generation}`;

/**
 * Exchanges by which this queue of a session takes the place of the one before it: everything for the session comes to `front`, which
 * hands it to the queue before, and as soon as it does not any more, to its alternate exchange `beyond`, which hands it to this one.
 */
export const junction = (queue: string): { readonly front: string; readonly beyond: string } => ({
  front: `${queue}.front`,
  beyond: `${queue}.beyond`,
});

/** Whose queue it is, whatever its generation; undefined: no session's. The inverse of {@link sessionQueue}. */
export function readSessionQueue(name: string): SessionQueueName | undefined {
  const [kind, uid, sid, generation, ...rest] = name.split('.');
  if (kind !== 'session' || !isUid(uid) || !isSid(sid) || rest.length > 0) return undefined;
  if (generation === undefined) return { uid, sid, generation: 0 };
  return generationForm.test(generation) ? { uid, sid, generation: Number(generation) } : undefined;
}
/** Where services reply to a session, whatever its queue is called by then: key of its binding to `mesh.replies`. */
export const sessionAddress = (uid: string, sid: string): string => sessionQueue(uid, sid);
/** What a session queue is bound with: everything for its user. */
export const userBinding = (uid: string): string => `user.${uid}.#`;
/** Key of a directed event, e.g. `user.alice.order.created`. */
export const userKey = (uid: string, event: string): string => `user.${uid}.${event}`;
/** Key of a topic event, and of its binding. */
export const topicKey = (topic: string): string => `topic.${topic}`;
/** Key on `mesh.events` of what an edge sends itself, to see that bindings are there: no topic's, since no topic has a `$`. */
export const probeKey = (node: string): string => `topic.$probe.${node}`;
/** Key of commands to one edge. */
export const edgeKey = (node: string): string => `edge.${node}`;
/** Key of commands to every edge. */
export const allEdgesKey = 'all';
/** Key of a command on the exchange `mesh.manage`: by it the broker tells who may look and who may command. */
export const manageKey = (kind: 'view' | 'operate', command: string): string => `${kind}.${command}`;
/** Key of answers to `id` (a balancer, a test) on `mesh.control`. */
export const replyKey = (id: string): string => `reply.${id}`;
/** Key by which an edge sends a fence through its own topic queue. */
export const fenceKey = (node: string, boot: string): string => `fence.${node}.${boot}`;
/** Second key of a fence: of the edge that a session moves to, for which it is a mark. */
export const markKey = (node: string): string => `mark.${node}`;
/** Key of an edge's statistics. */
export const statsKey = (node: string): string => `stats.${node}`;
/** Key of what the leading balancer says of how it plans. */
export const policyKey = 'policy';
/** Key of an edge's reports on moves. */
export const movesKey = (node: string): string => `moves.${node}`;

/** Key of an edge's reports on which sessions it holds. */
export const sessionsKey = (node: string): string => `sessions.${node}`;

/** Key on `mesh.presence` of what an edge says of its members. */
export const presenceKey = (node: string): string => `edge.${node}`;
/** Key by which an edge is asked for all its members. */
export const snapshotKey = (node: string): string => `snapshot.${node}`;
/** Key by which every edge is asked for the sessions of one user. */
export const whoKey = 'who';
/** Key of answers to who keeps a copy. */
export const copyKey = (id: string): string => `copy.${id}`;
/** Key by which an application asks whether a user is online. */
export const askUserKey = (uid: string): string => `ask.user.${uid}`;
/** Key by which an application asks who is in a topic. */
export const askTopicKey = (topic: string): string => `ask.topic.${topic}`;

/** The words of a directed event's key after `user.<uid>.`, or undefined when the key is of another form. */
export function eventName(key: string): string | undefined {
  if (!key.startsWith('user.')) return undefined;
  const dot = key.indexOf('.', 5);
  return dot < 0 ? '' : key.slice(dot + 1);
}

/** The words of a topic event's key after `topic.`, or undefined when the key is of another form. */
export const topicOfKey = (key: string): string | undefined =>
  key.startsWith('topic.') ? key.slice(6) : undefined;

/** The first word of a topic, a pattern or a method. */
export function namespaceOf(topic: string): string {
  const dot = topic.indexOf('.');
  return dot < 0 ? topic : topic.slice(0, dot);
}

/** The namespace of a topic event's key; undefined: it is of another form. */
export function namespaceOfKey(key: string): string | undefined {
  const topic = topicOfKey(key);
  return topic === undefined ? undefined : namespaceOf(topic);
}

/** A session as every service names it in its log. */
export const logged = ({ uid, sid }: { readonly uid: string; readonly sid: string }) => ({
  session: sid,
  user: fromUid(uid),
});

/** The plan whose step a command to move sessions carries out: it is `<plan>.<step>.<number>`, where a plan has sent it. */
export const planOfMove = (move: string): string => move.split('.').slice(0, -2).join('.') || move;
