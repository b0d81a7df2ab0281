import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asking } from './asking.js';
import { clientFrame } from './client.js';
import { closeCodes, errorCodes, gapReasons } from './codes.js';
import { fairUse } from './fair-use.js';
import { defaults, maxDataDepth } from './frames.js';
import {
  edgeKey,
  exchanges,
  fenceKey,
  maxTopicBytes,
  maxUserIdBytes,
  movesKey,
  queues,
  replyKey,
  sessionQueue,
  statsKey,
  subprotocol,
  topicKey,
  userKey,
} from './names.js';
import { maxListedMembers } from './presence.js';
import { meshTopology } from './topology.js';

const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'PROTOCOL.md'), 'utf8');

/** A section by its heading's beginning, up to the next heading of its level or above. */
function section(heading: string): string {
  const from = text.indexOf(`\n${heading}`);
  expect(from, `PROTOCOL.md has "${heading}"`).toBeGreaterThan(-1);
  const level = heading.indexOf(' ');
  const rest = text.slice(from + 1 + heading.length);
  const end = rest.search(new RegExp(`^#{2,${level}} `, 'm'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** Rows of the one table of a section, without its head, cells without backquotes. */
function table(heading: string): string[][] {
  const lines = section(heading)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const plain = (cell = ''): string => cell.replaceAll('`', '');

/** What the text says of frames: kind → fields, `?` at the end of the optional; from the table under each kind's heading. */
function framesOf(heading: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const part of section(heading).split('\n#### ').slice(1)) {
    const kind = /^`(\w+)`\n/.exec(part)?.[1];
    if (kind === undefined) continue;
    const rows = [...part.matchAll(/^\| `([^`]+)` \|/gm)].map(([, field]) => field ?? '');
    found.set(kind, rows.sort());
  }
  return found;
}

/** The examples of frames, one under each kind's heading. */
function examplesOf(heading: string): [string, unknown][] {
  return section(heading)
    .split('\n#### ')
    .slice(1)
    .map((part) => [
      /^`(\w+)`\n/.exec(part)?.[1] ?? '',
      JSON.parse(/```json\n([\s\S]*?)```/.exec(part)?.[1] ?? 'null'),
    ]);
}

/** Fields of the interfaces of `frames.ts` that edges send, by the kind of frame. */
function declaredFrames(): Map<string, string[]> {
  const source = readFileSync(join(import.meta.dirname, 'frames.ts'), 'utf8').replace(
    /\/\*\*[\s\S]*?\*\//g,
    '',
  );
  const found = new Map<string, string[]>();
  const ofClients =
    /type ClientFrame =([^;]+);/
      .exec(source)?.[1]
      ?.split('|')
      .map((name) => name.trim()) ?? [];
  for (const [, name = '', parent, body] of source.matchAll(
    /interface (\w+Frame)(?: extends ([\w<>]+))? \{([\s\S]*?)\n\}/g,
  )) {
    if (ofClients.includes(name)) continue;
    const fields = [...(body ?? '').matchAll(/^ {2}(\w+\??):/gm)].map(([, field]) => field ?? '');
    if (parent?.includes('Payload')) {
      fields.push('encoding?', 'contentType?', 'contentEncoding?', 'traceparent?', 'tracestate?');
    }
    if (parent === 'Payload') fields.push('data');
    if (parent === 'Partial<Payload>') fields.push('data?');
    const kinds = /^ {2}t: (.+);$/m.exec(body ?? '')?.[1] ?? '';
    for (const [, kind] of kinds.matchAll(/'(\w+)'/g))
      found.set(kind ?? '', fields.filter((field) => field !== 't').sort());
  }
  return found;
}

describe('PROTOCOL.md', () => {
  it('names the subprotocol', () => {
    expect(text.split('\n')[0]).toBe(`# The protocol: \`${subprotocol}\``);
  });

  it('has every close code as the code has it', () => {
    const written = table('## 3. Close codes').map(([code, reason, after]) => ({
      code: Number(code),
      reason: plain(reason),
      after,
    }));
    expect(written).toEqual(Object.values(closeCodes));
  });

  it('has every error code', () => {
    const written = table('### 2.4 Error codes').map(([code]) => plain(code));
    expect(written).toEqual(Object.values(errorCodes));
  });

  it('has every reason of a gap', () => {
    const written = table('### 2.3 Reasons of a gap').map(([reason]) => plain(reason));
    expect(written).toEqual(Object.values(gapReasons));
  });

  it('names no error code that does not exist', () => {
    const written = [...text.matchAll(/`error`(?: \(|,? )`([a-z-]+)`/g)].map(([, code]) => code);
    expect(written.length).toBeGreaterThan(2);
    expect(Object.values(errorCodes)).toEqual(expect.arrayContaining(written));
  });

  it('has the limits that the code has', () => {
    const written = new Map(table('### 8.1 Of a session').map(([what, limit]) => [plain(what), limit]));
    const count = (n: number) => n.toLocaleString('en-US');
    const ms = (n: number) => `${count(n)} ms`;
    expect(Object.fromEntries(written)).toEqual({
      'frame from a client': `${count(defaults.maxPayloadBytes)} bytes`,
      'frame of an event, a message or a reply': `${count(defaults.maxEventBytes)} bytes`,
      'events ahead of ack (window)': count(defaults.window),
      'unacknowledged events, and no progress for': ms(defaults.ackTimeoutMs),
      'an event unacknowledged for': ms(defaults.longestUnackedMs),
      'no hello for': ms(defaults.helloTimeoutMs),
      heartbeat: ms(defaults.heartbeatMs),
      'topics of a connection': count(defaults.maxTopicsPerConnection),
      "names of a connection's topics, together": `${count(defaults.maxTopicNameBytes)} bytes`,
      'session lifetime without a socket': ms(defaults.sessionLifetimeMs),
      "events waiting in a session's queue": count(defaults.sessionMaxLength),
      ticket: `${ms(defaults.ticketLifetimeMs)}, one socket`,
      move: ms(defaults.moveDeadlineMs),
      request: ms(defaults.requestTimeoutMs),
      'part of an answer, after the one before': ms(defaults.requestTimeoutMs),
      'answers in parts, open at a time': count(defaults.maxStreams),
      'shown in its topics after the socket was lost': ms(defaults.presenceGraceMs),
      'users of a topic that are named': count(maxListedMembers),
      'question of a service to a client': `${count(asking.maxQuestionBytes)} bytes`,
      'answers to it are waited for': `${ms(asking.timeoutMs)}, at most ${ms(asking.maxTimeoutMs)}`,
      'questions to a user, open at a time': count(asking.maxPerUser),
    });
  });

  it('has what one client can have of an edge', () => {
    const written = new Map(table('### 8.2 Fair use').map(([what, limit]) => [plain(what), limit]));
    const count = (n: number) => n.toLocaleString('en-US');
    const rate = (perSecond: number, burst: number) =>
      `${count(perSecond)} a second, ${count(burst)} at once`;
    expect(Object.fromEntries(written)).toEqual({
      'connections that have not asked for anything': count(fairUse.maxPending),
      'the same of one address': count(fairUse.maxPendingPerAddress),
      'sockets that an address asks for': rate(fairUse.handshakesPerSecond, fairUse.handshakesBurst),
      'sockets that a user asks for': rate(fairUse.userHandshakesPerSecond, fairUse.userHandshakesBurst),
      'sockets of a user': count(fairUse.maxSocketsPerUser),
      'sessions of a user, those without a socket included': count(fairUse.maxSessionsPerUser),
      'frames of a connection': rate(fairUse.framesPerSecond, fairUse.framesBurst),
      'frames of a user': rate(fairUse.userFramesPerSecond, fairUse.userFramesBurst),
      'bytes of a connection': rate(fairUse.bytesPerSecond, fairUse.bytesBurst),
      'bytes of a user': rate(fairUse.userBytesPerSecond, fairUse.userBytesBurst),
      'bytes of a connection that the broker does not have yet': count(fairUse.maxWaitingBytes),
      'bytes of a user that the broker does not have yet': count(fairUse.maxWaitingBytesPerUser),
      'topics that nobody on the edge had subscribed, of a user': rate(
        fairUse.userTopicsPerSecond,
        fairUse.userTopicsBurst,
      ),
      'the same, of all users': rate(fairUse.topicsPerSecond, fairUse.topicsBurst),
    });
  });

  it('tells of no limit elsewhere that differs', () => {
    expect(text).toContain(`at most ${maxUserIdBytes} bytes of UTF-8`);
    expect(text).toContain(`at most ${maxTopicBytes} bytes`);
    expect(text).toContain(`${defaults.maxTopicsPerConnection} topics at a time`);
    expect(text).toContain(`within ${defaults.helloTimeoutMs / 1_000} s of opening`);
    expect(text).toContain(`\`request-timeout\` after ${defaults.requestTimeoutMs / 1_000} s`);
    expect(text).toContain(`length limit (${defaults.sessionMaxLength.toLocaleString('en-US')})`);
    expect(text).toContain(`up to ${maxDataDepth} levels deep`);
    expect(text).toContain(`more than ${maxDataDepth} levels deep`);
    expect(text).toContain(`(${defaults.maxPayloadBytes / 1_024} KiB)`);
  });

  it("names every exchange and queue with its kind, and the keys' forms", () => {
    const written = table('## 7. Names on the broker').map(([name, kind, carries]) => ({
      name: plain(name),
      kind,
      carries: plain(carries),
    }));
    const named = written.filter(({ kind }) => kind?.endsWith('exchange'));
    expect(named.map(({ name, kind }) => [name, kind]).sort()).toEqual(
      meshTopology.exchanges.map(({ name, type }) => [name, `${type} exchange`]).sort(),
    );
    expect(written.map(({ name }) => name)).toEqual(
      expect.arrayContaining([queues.manage, sessionQueue('<uid>', '<sid>')]),
    );
    const carriedBy = (exchange: string) => written.find(({ name }) => name === exchange)?.carries;
    expect(carriedBy(exchanges.events)).toContain(userKey('<uid>', '<event…>'));
    expect(carriedBy(exchanges.events)).toContain(topicKey('<topic…>'));
    expect(carriedBy(exchanges.stats)).toContain(statsKey('<node>'));
    expect(carriedBy(exchanges.stats)).toContain(movesKey('<node>'));
    for (const key of [edgeKey('<node>'), replyKey('<id>'), fenceKey('<node>', '<boot>')])
      expect(carriedBy(exchanges.control)).toContain(key);
  });

  it('has every frame from the client with its fields', () => {
    const written = framesOf('### 2.1 From the client');
    const accepted = clientFrame.options.map(({ shape }) => {
      const { t, ...fields } = shape;
      const names = Object.entries(fields).map(([name, type]) =>
        // Anything is data, so nothing is as well; the text has it written.
        type.safeParse(undefined).success && name !== 'data' ? `${name}?` : name,
      );
      return [t.value, names.sort()] as const;
    });
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(accepted));
  });

  it('shows examples that the edge accepts', () => {
    for (const [kind, example] of examplesOf('### 2.1 From the client')) {
      expect(example).toMatchObject({ t: kind });
      expect(clientFrame.safeParse(example).error).toBeUndefined();
    }
  });

  it('shows examples of what the edge sends with no field that its table lacks', () => {
    const written = framesOf('### 2.2 From the edge');
    for (const [kind, example] of examplesOf('### 2.2 From the edge')) {
      expect(example).toMatchObject({ t: kind });
      const known = (written.get(kind) ?? []).map((field) => field.replace('?', ''));
      const shown = Object.keys(example as object).filter((field) => field !== 't');
      expect(known).toEqual(expect.arrayContaining(shown));
    }
  });

  it('has every frame from the edge with its fields', () => {
    const written = framesOf('### 2.2 From the edge');
    const declared = declaredFrames();
    expect(written.size).toBeGreaterThan(8);
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(declared));
  });
});
