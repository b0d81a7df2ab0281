import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { Fields } from './fields.js';
import { flagOf, frameAt, frameEnd, frameOverhead, frameType } from './frame.js';
import { longestPlain } from './large-bodies.js';

/** The part of amqplib's connection that reads frames; its types do not name it. */
interface Receiver {
  readonly channels: readonly (Slot | null | undefined)[];
  /** What was received and is not read yet. */
  rest: Buffer;
  /** Whether the broker is alive is judged by it. */
  recvSinceLastCheck: boolean;
  recvFrame(): unknown;
  /** What is done with a frame; another, once the connection is being closed. */
  accept(frame: unknown): void;
}

interface Slot {
  readonly channel: Accepter;
}

/** The part of amqplib's channel that takes frames; likewise. */
interface Accepter {
  readonly ch: number;
  accept(frame: unknown): unknown;
  emit(event: 'handler-error', error: unknown): unknown;
}

/** Whoever consumes on a channel. */
interface Listener {
  readonly channel: Accepter;
  /** Of the channel; it has another once it is being closed. */
  readonly accept: Accepter['accept'];
  readonly onDelivery: (message: ConsumeMessage) => void;
}

const isReceiver = (connection: object): connection is Receiver =>
  ['channels', 'rest', 'recvFrame', 'accept'].every((name) => name in connection);

const isAccepter = (channel: object): channel is Accepter => 'ch' in channel && 'accept' in channel;

/** Class 60, method 60. */
const deliverMethod = (60 << 16) | 60;
const basicClass = 60;
/** Where the parts of `basic.deliver` begin, bytes from the start of its frame. */
const at = { method: frameAt.payload, tag: frameAt.payload + 4 } as const;
/** Of the tag of a delivery, and of the flag whether it is delivered again. */
const [tagBytes, flagBytes] = [8, 1];
/** What AMQP 0-9-1 does not have, or does not use. */
const unusual = 0b111;
const noBody = Buffer.alloc(0);

/**
 * amqplib reads a message in three frames, each by itself, and makes some twenty objects and functions for it, which costs
 * more than all else that is done for an event. Here those that are plain are read at once: of its headers each is a text, a number or a
 * boolean, its body is one frame, and all of it has come. All others are left to amqplib, in their turn.
 */
export class QuickDeliveries {
  readonly #connection: Receiver | undefined;
  readonly #accept: Receiver['accept'] | undefined;
  readonly #listeners: (Listener | undefined)[] = [];

  /** To be made before others take the place of `recvFrame`, who see what is left to amqplib. Undefined: all is. */
  constructor(model: ChannelModel | undefined) {
    const connection = model?.connection;
    if (!connection || !isReceiver(connection)) return;
    this.#connection = connection;
    this.#accept = connection.accept;
    const receive = connection.recvFrame;
    const takeRest = () => this.#takeRest(connection);
    connection.recvFrame = function quick(this: Receiver) {
      // Those around this one are to see what follows from its start.
      return takeRest() ? this.recvFrame() : receive.call(this);
    };
  }

  /** What is delivered on `channel` goes to `onDelivery`, where it is not left to amqplib. */
  on(channel: Channel, onDelivery: (message: ConsumeMessage) => void): void {
    if (!isAccepter(channel)) return;
    this.#listeners[channel.ch] = { channel, accept: channel.accept, onDelivery };
  }

  /**
   * Takes what there is at the start of what has just been read from the socket, where nothing waits before it; what is delivered keeps
   * a copy. @returns how many bytes
   */
  takeRead(read: Buffer): number {
    const connection = this.#connection;
    if (connection === undefined || connection.rest.length > 0) return 0;
    if (this.#listenerAt(read, 0) === undefined) return 0;
    connection.recvSinceLastCheck = true;
    return this.#take(Buffer.from(read));
  }

  /** @returns whether there was any */
  #takeRest(connection: Receiver): boolean {
    const { rest } = connection;
    const taken = this.#take(rest);
    if (taken > 0) connection.rest = rest.subarray(taken);
    return taken > 0;
  }

  /** @returns how many bytes */
  #take(bytes: Buffer): number {
    for (let from = 0; ; ) {
      const listener = this.#listenerAt(bytes, from);
      const read = listener && deliveryAt(bytes, from);
      if (listener === undefined || read === undefined) return from;
      from = read.end;
      try {
        listener.onDelivery(read.message);
      } catch (error) {
        // As amqplib does.
        listener.channel.emit('handler-error', error);
      }
    }
  }

  /** Undefined: nobody listens to the channel of the frame at `from`, or it or the connection is being closed. */
  #listenerAt(bytes: Buffer, from: number): Listener | undefined {
    if (bytes.length - from < frameAt.payload || bytes[from] !== frameType.method) return undefined;
    const ch = bytes.readUInt16BE(from + frameAt.channel);
    const listener = this.#listeners[ch];
    const isOpen =
      listener !== undefined &&
      this.#connection?.accept === this.#accept &&
      this.#connection?.channels[ch]?.channel === listener.channel &&
      listener.channel.accept === listener.accept;
    return isOpen ? listener : undefined;
  }
}

interface Read {
  readonly message: ConsumeMessage;
  readonly end: number;
}

/** The message that begins at `from`, and where it ends; undefined: amqplib is to read it, or more has to come. */
function deliveryAt(bytes: Buffer, from: number): Read | undefined {
  try {
    return plainAt(bytes, from);
  } catch {
    // It is not what it says it is: amqplib finds out, and ends the connection.
    return undefined;
  }
}

function plainAt(bytes: Buffer, from: number): Read | undefined {
  const channel = bytes.readUInt16BE(from + frameAt.channel);
  const header = endOf(bytes, from);
  if (header === undefined || bytes.readUInt32BE(from + at.method) !== deliverMethod) return undefined;
  const body = endOf(bytes, header);
  const isHeader = body !== undefined && isOf(bytes, header, frameType.header, channel);
  if (!isHeader || bytes.readUInt16BE(header + frameAt.payload) !== basicClass) return undefined;
  const flags = bytes.readUInt16BE(header + frameAt.flags);
  // The upper half is 0 for what is short.
  const length = bytes.readUInt32BE(header + frameAt.bodySize + 4);
  if ((flags & unusual) !== 0 || bytes.readUInt32BE(header + frameAt.bodySize) !== 0) return undefined;
  if (length > longestPlain) return undefined;
  let end = body;
  if (length > 0) {
    const bodyEnd = endOf(bytes, body);
    const isWhole = bodyEnd !== undefined && bodyEnd - body === length + frameOverhead;
    if (!isWhole || !isOf(bytes, body, frameType.body, channel)) return undefined;
    end = bodyEnd;
  }
  const properties = propertiesAt(bytes, header, flags);
  if (properties === undefined) return undefined;
  const start = body + frameAt.payload;
  const content = length > 0 ? bytes.subarray(start, start + length) : noBody;
  const message = { fields: fieldsAt(bytes, from), properties, content };
  return { message: message as unknown as ConsumeMessage, end };
}

/** Where the frame at `from` ends; undefined: it has not all come. What is no frame is left to amqplib, which says so. */
function endOf(bytes: Buffer, from: number): number | undefined {
  if (bytes.length - from < frameOverhead) return undefined;
  const end = from + frameOverhead + bytes.readUInt32BE(from + frameAt.size);
  return end <= bytes.length && bytes[end - 1] === frameEnd ? end : undefined;
}

const isOf = (bytes: Buffer, from: number, type: number, channel: number): boolean =>
  bytes[from + frameAt.type] === type && bytes.readUInt16BE(from + frameAt.channel) === channel;

/** As amqplib has them. */
function fieldsAt(bytes: Buffer, from: number): ConsumeMessage['fields'] {
  const reader = new Fields(bytes, from + at.tag);
  const consumerTag = reader.next();
  const deliveryTag = bytes.readUInt32BE(reader.at) * 0x1_0000_0000 + bytes.readUInt32BE(reader.at + 4);
  const redelivered = bytes[reader.at + tagBytes] === 1;
  reader.at += tagBytes + flagBytes;
  const exchange = reader.next();
  return { consumerTag, deliveryTag, redelivered, exchange, routingKey: reader.next() };
}

/** Likewise, but for ids that are no text, see {@link Fields.nextId}. Undefined: a header is not plain. */
function propertiesAt(bytes: Buffer, header: number, flags: number): object | undefined {
  const reader = new Fields(bytes, header + frameAt.properties);
  const has = (flag: number) => (flags & flag) !== 0;
  const contentType = has(flagOf.contentType) ? reader.next() : undefined;
  const contentEncoding = has(flagOf.contentEncoding) ? reader.next() : undefined;
  const headers = has(flagOf.headers) ? reader.nextTable() : undefined;
  if (headers === 'not plain') return undefined;
  return {
    contentType,
    contentEncoding,
    headers,
    deliveryMode: has(flagOf.deliveryMode) ? bytes[reader.at++] : undefined,
    priority: has(flagOf.priority) ? bytes[reader.at++] : undefined,
    correlationId: has(flagOf.correlationId) ? reader.nextId() : undefined,
    replyTo: has(flagOf.replyTo) ? reader.next() : undefined,
    expiration: has(flagOf.expiration) ? reader.next() : undefined,
    messageId: has(flagOf.messageId) ? reader.nextId() : undefined,
    timestamp: has(flagOf.timestamp) ? reader.nextNumber() : undefined,
    type: has(flagOf.type) ? reader.next() : undefined,
    userId: has(flagOf.userId) ? reader.next() : undefined,
    appId: has(flagOf.appId) ? reader.next() : undefined,
    clusterId: undefined,
  };
}
