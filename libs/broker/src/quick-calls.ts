import type { Channel } from 'amqplib';

/** What the broker says. */
interface Frame {
  /** Of the method: its class in the upper 16 bits. */
  readonly id: number | undefined;
  readonly fields: Partial<Subject> & {
    readonly classId?: number;
    readonly methodId?: number;
    readonly replyText?: string;
  };
}

/** What a call is about, as both the call and its answer say; neither: there is only the channel. */
interface Subject {
  readonly consumerTag: string;
  readonly queue: string;
}

type Reply = (error: unknown, frame?: Frame) => void;

interface Call {
  readonly method: number;
  readonly answer: number | undefined;
  readonly about: string;
  readonly queue: string | undefined;
  readonly reply: Reply;
}

/** The part of amqplib's channel that makes calls; its types do not name it. */
interface Caller {
  /** Of the call that the broker has closed the channel for. */
  reply: Reply | null;
  /** Rejected when the channel ends. */
  pending: Call[];
  _rpc(method: number, fields: Partial<Subject>, answer: number, done: Reply): void;
  rpc(method: number, fields: Partial<Subject>, answer: number): Promise<unknown>;
  accept(frame: Frame): unknown;
  sendImmediately(method: number, fields: Partial<Subject>): unknown;
  sendOrEnqueue(method: number, fields: Partial<Subject>, reply: Reply): void;
}

const isCaller = (channel: object): channel is Caller =>
  ['reply', 'pending', '_rpc', 'rpc', 'accept', 'sendImmediately', 'sendOrEnqueue'].every(
    (name) => name in channel,
  );

const channelClose = (20 << 16) | 40;
/** `queue.declare-ok`, `basic.consume-ok` and `basic.cancel-ok`: the other answers do not say what they are about. */
const named: ReadonlySet<number | undefined> = new Set([(50 << 16) | 11, (60 << 16) | 21, (60 << 16) | 31]);
const aboutOf = ({ consumerTag, queue }: Partial<Subject>): string => consumerTag ?? queue ?? '';

/** amqplib makes a new function with `promisify` for each call, which costs more than the call. */
export function callPlainly(channel: Channel): void {
  if (!isCaller(channel)) return;
  channel.rpc = function plain(this: Caller, method, fields, answer) {
    return new Promise((resolve, reject) => {
      this._rpc(method, fields, answer, (error, frame) => {
        if (error) reject(error);
        else resolve(frame?.fields);
      });
    });
  };
}

/**
 * amqplib sends a call only once the one before it is answered. RabbitMQ carries those of a channel out one after another
 * however they come, so here all may be under way: the calls for many queues cost one round trip and few system calls.
 *
 * It answers those for one queue in order; between queues it does not: `consume-ok` and `cancel-ok` come from the queue, which
 * another's may overtake. So an answer belongs to the first call of its kind for the same consumer or queue. When
 * the broker closes the channel for one of them, those behind it fail as they would have failed unsent.
 */
export function callAhead(channel: Channel): void {
  if (!isCaller(channel)) return;
  const { _rpc, accept } = channel;
  let expected: number | undefined;
  channel._rpc = function expecting(this: Caller, method, fields, answer, done) {
    expected = answer;
    _rpc.call(this, method, fields, answer, done);
  };
  channel.sendOrEnqueue = function ahead(this: Caller, method, fields, reply) {
    const about = named.has(expected) ? aboutOf(fields) : '';
    this.pending.push({ method, answer: expected, about, queue: fields.queue, reply });
    expected = undefined;
    this.sendImmediately(method, fields);
  };
  channel.accept = function accepted(this: Caller, frame) {
    const { id, fields } = frame;
    if (id === channelClose) {
      const { classId = 0, methodId = 0, replyText = '' } = fields;
      const isOfIt = ({ method }: Call) => method === ((classId << 16) | methodId);
      // An earlier one may be unanswered too: the text names the queue.
      const isNamed = ({ queue }: Call) => queue !== undefined && replyText.includes(`'${queue}'`);
      this.reply =
        taken(this.pending, (call) => isOfIt(call) && isNamed(call)) ?? taken(this.pending, isOfIt) ?? null;
    } else if (id !== undefined) {
      const reply = taken(this.pending, ({ answer, about }) => answer === id && about === aboutOf(fields));
      if (reply) return reply(null, frame);
    }
    return accept.call(this, frame);
  };
}

function taken(calls: Call[], isIt: (call: Call) => boolean): Reply | undefined {
  const at = calls.findIndex(isIt);
  return at < 0 ? undefined : calls.splice(at, 1)[0]?.reply;
}
