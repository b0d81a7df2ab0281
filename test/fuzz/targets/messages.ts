import {
  askFrame,
  eventFrame,
  historyFrame,
  historyItem,
  isOnlyOnline,
  isReply,
  marksOf,
  messageFrame,
  nameFor,
  Placing,
  partFrame,
  placed,
  placeLength,
  placeOf,
  replyFrame,
  topicsOf,
} from '@evenkeel/edge/readers';
import {
  bodyFields,
  messageIdentity,
  printOf,
  publishedAt,
  readPosition,
  senderOf,
  statedTime,
} from '@evenkeel/mesh';
import { isTopic, traceContextOf } from '@evenkeel/protocol';
import { cloudEventOf } from '@evenkeel/protocol/wire';
import { isSame, jsonOf } from '../same.js';
import { holds, type Target } from '../target.js';
import { envelopeWords, messageOf } from './envelope.js';
import { secret } from './signed.js';

const nowMs = 1_800_000_000_000;
/** Longest frame: an input is to reach it by what its body unpacks to. */
const maxBytes = 8_192;
/** Of an error of a service, and of its frame, bytes: six for each that JSON escapes. */
const longestError = 6 * 16_384 + 4_096;
const place = { seq: 7, isRedelivered: true, again: 3 };
const isEdge = (user: string): boolean => user === 'edge';
const placing = new Placing([secret], 'any');

/** Members of a frame that come of the message's body and headers. */
const ofBody = ['data', 'encoding', 'contentType', 'contentEncoding', 'headers', 'traceparent', 'tracestate'];

/** Messages on the broker, as they become frames: events, messages of topics with and without history, replies, questions. */
export const messages: Target = {
  name: 'messages',
  about: 'bodies, headers and properties of events, messages of topics and replies',
  maxBytes: 16_384,
  // What is packed is longer than it looks.
  workPerByte: 4_000,
  words: [
    ...envelopeWords,
    ...[
      'application/json',
      'text/plain',
      'text/plain; charset=utf-16',
      'application/octet-stream',
      'application/cloudevents+json',
    ],
    ...[
      'charset=iso-8859-1',
      'charset=utf-16be',
      'gzip',
      'x-gzip',
      'deflate, br',
      'identity',
      'binary',
      'utf-8',
      'utf-16le',
      'zstd',
    ],
    ...[
      'evenkeel-at',
      'evenkeel-key',
      'evenkeel-collapse',
      'evenkeel-only-online',
      'evenkeel-error',
      'evenkeel-part',
    ],
    ...[
      'evenkeel-user',
      'evenkeel-uid',
      'evenkeel-session',
      'evenkeel-receipt',
      'traceparent',
      'tracestate',
      'x-tenant',
      'x-delay',
    ],
    ...[
      'cloudEvents:id',
      'cloudEvents_time',
      'cloudEvents:specversion',
      'specversion',
      '1.0',
      'id',
      'source',
      'type',
      'data_base64',
    ],
    ...[
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'vendor=value',
      'timestamp',
      '!',
      'value',
      'edge',
    ],
    ...[
      'user.alice.order.created',
      'user.bob.x',
      'topic.prices.demo',
      'topic.room.42',
      'user.alice.$topics',
      'user.alice.$ask',
    ],
  ],
  run(input) {
    const message = messageOf(input, { exchange: 'mesh.events', key: 'user.alice.order.created' });
    if (message === undefined) return;
    const fields = bodyFields(message, maxBytes);
    holds(fields === bodyFields(message, maxBytes), 'a body that is read again says the same');
    const body = fields === undefined ? undefined : framed(`{"t":"x"${fields}}`);
    if (body !== undefined) {
      const others = Object.keys(body).filter((name) => name !== 't' && !ofBody.includes(name));
      holds(others.length === 0 && body.t === 'x', 'a body is in its own members', others);
      asSent(message, body);
      limited(body);
    }
    asEvent(message, body);
    asTopic(message, body);
    asReply(message, body);
    marksOf(message, nowMs);
    isOnlyOnline(message);
    placing.read(message, { uid: 'alice', sid: 's1' });
    cloudEventOf(body ?? {});
  },
};

type Message = NonNullable<ReturnType<typeof messageOf>>;
type Frame = Record<string, unknown>;

function framed(text: string): Frame {
  const json = jsonOf(text);
  holds(json !== undefined, 'a frame is JSON', text);
  const { value } = json;
  holds(typeof value === 'object' && value !== null && !Array.isArray(value), 'a frame is an object', text);
  return value as Frame;
}

const codings = ['', 'gzip', 'x-gzip', 'deflate', 'br', 'identity', 'binary', '7bit', '8bit'];

/** Whether all of what a content encoding names is known: some publishers name a charset. */
const isDecodable = (contentEncoding: string): boolean =>
  contentEncoding
    .toLowerCase()
    .split(',')
    .every((name) => codings.includes(name.trim()) || isCharset(name.trim()));

function isCharset(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}

/** Where nothing is to be decoded: as a plain reader has it. */
function asSent({ body, properties }: Message, frame: Frame): void {
  const { data, encoding, contentType } = frame;
  const { contentType: type = '', contentEncoding = '' } = properties;
  const isTold = frame.contentEncoding === contentEncoding;
  holds(isTold || isDecodable(contentEncoding), 'an encoding that nobody knows is told', contentEncoding);
  if (encoding !== undefined) {
    holds(encoding === 'base64' && typeof data === 'string', 'bytes are base64', encoding);
    const isPlain = contentEncoding === '' || /^(?:identity|binary|7bit|8bit)$/i.test(contentEncoding);
    if (isPlain) holds(Buffer.from(data, 'base64').equals(body), 'bytes arrive as they were sent');
    holds(contentType === (type || 'application/octet-stream'), 'bytes keep their type', contentType);
    return;
  }
  if (contentEncoding !== '' || !/^(?:|(?:application|text)\/json|text\/plain)$/.test(type)) return;
  const text = new TextDecoder('utf-8').decode(body);
  const isJson = type !== 'text/plain';
  const sent = isJson ? (jsonOf(text) ?? { value: text }) : { value: text };
  if (!body.includes(0xff)) holds(isSame(data, sent.value), 'a body arrives as it was sent', { data, text });
}

function limited({ headers, traceparent, tracestate }: Frame): void {
  const named = Object.entries((headers ?? {}) as Record<string, unknown>);
  const bytes = named.reduce((sum, [name, text]) => sum + Buffer.byteLength(name + String(text)), 0);
  holds(bytes <= 2_048 + 4_096, 'headers are bounded', bytes);
  const isText = named.every(([, text]) => typeof text === 'string');
  holds(isText, 'headers are text', headers);
  const known = /^(?:x-.*|traceparent|tracestate|cloudEvents[:_].+)$/s;
  holds(
    named.every(([name]) => known.test(name)),
    'no other headers go on',
    headers,
  );
  if (traceparent === undefined) return;
  holds(
    isSame(traceContextOf({ traceparent, tracestate }), { traceparent, tracestate }),
    'a trace is well-formed',
    traceparent,
  );
}

function checkLength(frame: string | undefined, most = maxBytes): void {
  if (frame !== undefined)
    holds(Buffer.byteLength(frame) <= most, 'a frame is no longer than it may be', frame.length);
}

/** A frame has what the body has. */
function hasBody(frame: Frame, body: Frame | undefined): void {
  for (const name of ofBody)
    holds(isSame(frame[name], body?.[name]), 'a frame has the body as it was read', name);
}

function asEvent(message: Message, body: Frame | undefined): void {
  const id = messageIdentity(message);
  holds(id !== '', 'a message has an identity');
  const at = publishedAt(message, nowMs);
  holds(Number.isSafeInteger(at) && at >= 0, 'a time is one', at);
  const text = eventFrame(7, id, message, nowMs, true, { uid: 'alice', maxBytes }, 3);
  checkLength(text);
  if (text === undefined) return;
  const frame = framed(text);
  const { t, seq, id: told, name, at: told2, again, redelivered } = frame;
  const expected = {
    t: 'event',
    seq: 7,
    id,
    name: nameFor(message, 'alice'),
    at,
    again: 3,
    redelivered: true,
  };
  const said = { t, seq, id: told, name, at: told2, again, redelivered };
  holds(isSame(said, JSON.parse(JSON.stringify(expected))), 'an event says what it is', said);
  hasBody(frame, body);
}

function asTopic(message: Message, body: Frame | undefined): void {
  const from = senderOf(message, isEdge);
  const print = printOf(message);
  const position = readPosition(`5-${print}`);
  holds(position?.print === print, 'a message has a place in its history', print);
  const stated = statedTime(message.properties);
  holds(stated === undefined || Number.isSafeInteger(stated), 'a time is one', stated);
  const { item, atMs, bytes } = historyItem(message, nowMs, maxBytes, isEdge);
  holds(bytes >= 0 && (atMs === undefined || Number.isSafeInteger(atMs)), 'what is kept is counted', {
    bytes,
    atMs,
  });
  for (const topic of topicsOf(message)) {
    const text = messageFrame(topic, message, nowMs, maxBytes, from);
    checkLength(text);
    if (text !== undefined) {
      const frame = framed(text);
      holds(
        frame.t === 'message' && frame.topic === topic,
        'a message says of which topic it is',
        frame.topic,
      );
      hasBody(frame, body);
    }
    if (!isTopic(topic)) continue;
    const record = { offset: 5, print, topics: [topic], atMs: nowMs, bytes, item };
    const kept = historyFrame(topic, record, true);
    const told = framed(kept);
    holds(
      told.topic === topic && (told.t === 'message' || told.t === 'gap'),
      'what was kept says the same',
      told,
    );
    if (told.t !== 'message') continue;
    holds(
      isSame(placeOf(kept.slice(0, placeLength)), { topic, offset: 5 }),
      'a place is read where it was written',
      kept,
    );
    if (item.isDeletion !== true) hasBody(told, body);
  }
}

function asReply(message: Message, body: Frame | undefined): void {
  isReply(message);
  const re = message.properties.correlationId ?? '';
  const text = replyFrame(message, maxBytes);
  checkLength(text, longestError);
  const reply = framed(text);
  holds(isSame(reply.re, JSON.parse(JSON.stringify(re))), 'a reply says what it answers', reply.re);
  holds(
    reply.t === 'ok' || (reply.t === 'error' && typeof reply.code === 'string'),
    'a reply is ok or an error',
    reply,
  );
  if (reply.t === 'ok') hasBody(reply, body);
  const last = framed(placed(text, place, 2));
  holds(last.seq === 7 && last.parts === 2 && last.t === reply.t, 'the last part has its place', last);
  const part = partFrame(message, 4, place, maxBytes);
  checkLength(part);
  if (part !== undefined) hasBody(framed(part), body);
  const ask = askFrame(message, { id: 'b.1234567890123456', method: 'order.confirm' }, place, maxBytes);
  checkLength(ask);
  if (ask !== undefined) hasBody(framed(ask), body);
}
