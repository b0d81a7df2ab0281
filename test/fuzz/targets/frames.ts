import {
  ClientText,
  type Incoming,
  isLongHello,
  plainAckSeq,
  readFrame,
  readWithin,
} from '@evenkeel/edge/readers';
import { clientFrame, clientFrameTypes } from '@evenkeel/protocol';
import { depthOf, isSame, jsonOf } from '../same.js';
import { holds, type Target } from '../target.js';

const states = ['opened', 'attaching', 'attached', 'moved'] as const;
type State = (typeof states)[number];

/** Where a frame is so long, its outline is read instead of all of it. */
const padding = ' '.repeat(2_048);
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const carrying = ['publish', 'request', 'answer'];

const generous = { takesBytes: () => true, takesFrame: () => true };
const stingy = { takesBytes: () => false, takesFrame: () => false };

/** What a client sends an edge. */
export const frames: Target = {
  name: 'frames',
  about: 'what clients send edges over a WebSocket',
  maxBytes: 16_384,
  words: [
    ...clientFrameTypes,
    ...['t', 'id', 'topic', 'data', 'method', 'seq', 'busy', 'resume', 'topics', 'ack', 'awayMs', 'last'],
    ...['connection', 'pass', 'info', 'since', 'presence', 'echo', 'proof', 'token', 're', 'error', 'code'],
    ...[
      'message',
      'encoding',
      'base64',
      'contentType',
      'traceparent',
      'tracestate',
      'client',
      'write',
      'write',
    ],
    ...['e30=', 'AAA', 'user.alice', 'prices.*', 'room.42.#', 'application/json'],
  ],
  run(input) {
    // The engine closes a connection whose text is no UTF-8.
    const text = input.toString('utf8');
    for (const state of states) {
      asReference(text, state);
      // The same frame, read another way.
      if (state !== 'opened') asReference(text + padding, state);
      within(text, state);
    }
    const seq = plainAckSeq(new ClientText(text));
    if (seq !== undefined) holds(isSame(JSON.parse(text), { t: 'ack', seq }), 'a plain ack is an ack', text);
    isLongHello(text, input.length, 16_384);
  },
};

/** As a parser says that reads all of it, and knows nothing else. */
function asReference(text: string, state: State): void {
  const incoming = readFrame(text, state);
  const expected = expectedOf(text, state);
  // To who has moved it is all one: what a second `hello` is to say is not looked at closely where it is long.
  if (state === 'moved' && incoming.is !== 'frame' && expected.is !== 'frame') return;
  holds(incoming.is === expected.is, `a frame is what it is to a plain parser`, {
    is: incoming.is,
    expected: expected.is,
    state,
    text,
  });
  if (incoming.is === 'unknown' && expected.is === 'unknown') {
    holds(isSame(incoming, expected), 'of an unknown frame id and kind are told, and not more', incoming);
  }
  if (incoming.is === 'frame') sameFrame(incoming.frame, text);
}

type Expected = Extract<Incoming, { is: 'unknown' }> | { readonly is: Exclude<Incoming['is'], 'unknown'> };

/** Without the frame. */
function expectedOf(text: string, state: State): Expected {
  const json = jsonOf(text);
  if (json === undefined) return { is: 'violation' };
  const parsed = clientFrame.safeParse(json.value);
  if (!parsed.success) return unreadable(json.value, state);
  const { data: frame } = parsed;
  if (state === 'moved') return { is: frame.t === 'ack' ? 'frame' : 'late' };
  if ((frame.t === 'hello') !== (state === 'opened')) return { is: 'violation' };
  if (!('encoding' in frame) || frame.encoding === undefined) return { is: 'frame' };
  return { is: typeof frame.data === 'string' && base64.test(frame.data) ? 'frame' : 'violation' };
}

function unreadable(value: unknown, state: State): Expected {
  const { t, id } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof t !== 'string' || clientFrameTypes.has(t) || state === 'opened') return { is: 'violation' };
  if (state === 'moved') return { is: 'late' };
  return { is: 'unknown', id: typeof id === 'string' ? id.slice(0, 128) : undefined, kind: t.slice(0, 64) };
}

type Frame = Extract<Incoming, { is: 'frame' }>['frame'];

function sameFrame(frame: Frame, text: string): void {
  const value = JSON.parse(text) as Record<string, unknown>;
  const { data: whole, ...plain } = clientFrame.parse(value) as Record<string, unknown>;
  if (!carrying.includes(frame.t)) {
    holds(
      isSame(frame, { ...plain, ...(whole !== undefined && { data: whole }) }),
      'a frame is read as it is',
      text,
    );
    return;
  }
  const { data, bytes, ...named } = frame as Extract<Frame, { data: { text: string } }>;
  const { encoding, contentType, ...expected } = plain;
  holds(isSame(named, expected), 'what goes with data is read as it is', text);
  if (encoding === 'base64') {
    const sent = Buffer.from(String(whole), 'base64');
    holds(bytes !== undefined && sent.equals(bytes.body), 'bytes arrive as they were sent', text);
    holds(bytes.contentType === (contentType ?? 'application/octet-stream'), 'bytes keep their type', text);
    return;
  }
  const carried = bytes === undefined ? data.text : bytes.body.toString('utf8');
  const json = jsonOf(carried);
  const sent = Object.hasOwn(value, 'data') ? value.data : null;
  holds(json !== undefined, 'data goes on as JSON', carried);
  // What is no well-formed Unicode goes over the broker as a replacement character.
  const isCarried = carried.includes('\ufffd') || isSame(json.value, sent);
  holds(isCarried, 'data goes on as it was sent', { carried, text });
  holds(data.depth === depthOf(sent), 'data is as deep as it is', { depth: data.depth, text });
}

function within(text: string, state: State): void {
  const all = readWithin(generous, new ClientText(Buffer.from(text)), state);
  holds(isSame(all, readFrame(text, state)), 'who may send has its frames read', text);
  const refused = readWithin(stingy, new ClientText(Buffer.from(text)), state);
  if (refused.is !== 'refused' || refused.id === undefined || all.is !== 'frame') return;
  // Its beginning tells the id: of several the first, where a parser has the last.
  const isPlain = !text.includes('\\') && text.split('"id"').length === 2;
  const { frame } = all;
  if (isPlain && 'id' in frame)
    holds(refused.id === frame.id, 'a refusal names the frame', { refused, text });
}
