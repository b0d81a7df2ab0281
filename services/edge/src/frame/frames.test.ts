import { readFileSync } from 'node:fs';
import type { Delivery, DeliveryProperties } from '@evenkeel/broker';
import { messageIdentity } from '@evenkeel/mesh';
import type { GapReason, MoveFrame, WelcomeFrame } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import {
  errorFrame,
  eventFrame,
  gapFrame,
  messageFrame,
  movedFrame,
  moveFrame,
  okFrame,
  pongFrame,
  replyFrame,
  welcomeFrame,
} from './frames.js';

interface GivenDelivery {
  key: string;
  body?: string;
  bodyBase64?: string;
  properties: Partial<DeliveryProperties>;
}

/** What a frame is built from; each kind takes its own of these. */
interface Given extends Required<Omit<WelcomeFrame, 't'>>, Omit<MoveFrame, 't'> {
  delivery: GivenDelivery;
  nowMs: number;
  seq: number;
  received: number;
  mark?: string;
  isRedelivered: boolean;
  topic: string;
  re?: string;
  code: string;
  message: string;
}

interface Golden {
  frame: string;
  about: string;
  given: Given;
  bytes: string;
}

function delivery({ key, body = '', bodyBase64, properties }: GivenDelivery): Delivery {
  const bytes = bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, 'base64');
  return {
    body: bytes,
    key,
    exchange: 'mesh.events',
    redelivered: false,
    isSettled: false,
    isVoid: false,
    forgetContent: () => {},
    ack: () => {},
    requeue: () => {},
    drop: () => {},
    properties: { headers: {}, ...properties },
  };
}

const addressee = { uid: 'alice', maxBytes: 1_048_576 };

const build: Record<string, (given: Given) => string | undefined> = {
  welcome: (given) => welcomeFrame(given),
  event: (given) => {
    const one = delivery(given.delivery);
    return eventFrame(given.seq, messageIdentity(one), one, given.nowMs, given.isRedelivered, addressee);
  },
  message: (given) => messageFrame(given.topic, delivery(given.delivery), given.nowMs, addressee.maxBytes),
  gap: (given) => gapFrame(given.reason as GapReason, given.topic),
  move: (given) => moveFrame(given),
  moved: (given) => movedFrame(given.seq, given.received, given.mark),
  ok: (given) => okFrame(given.re ?? ''),
  reply: (given) => replyFrame(delivery(given.delivery), addressee.maxBytes),
  error: (given) => errorFrame(given.re, given.code, given.message),
  pong: () => pongFrame,
};

// Recorded from a release whose clients are in the field. A line of it changes only with the protocol.
const golden: Golden[] = JSON.parse(readFileSync(new URL('./frames.golden.json', import.meta.url), 'utf8'));

describe.each(Object.keys(build))('%s', (kind) => {
  const cases = golden.filter(({ frame }) => frame === kind);

  it('has recorded frames to be compared with', () => {
    expect(cases.length).toBeGreaterThan(0);
  });

  it.each(cases)('is byte for byte what clients have always got: $about', ({ given, bytes }) => {
    expect(build[kind]?.(given)).toBe(bytes);
  });

  it.each(cases)('is JSON of its kind: $about', ({ given }) => {
    const kinds = kind === 'reply' ? ['ok', 'error'] : [kind];
    expect(kinds).toContain(JSON.parse(build[kind]?.(given) ?? '').t);
  });
});

it('compares every frame that is recorded', () => {
  expect(golden.filter(({ frame }) => build[frame] === undefined)).toEqual([]);
});

it('tells a reply that names no error code from one that does, whatever the header is', () => {
  const read = (error: unknown) =>
    JSON.parse(
      replyFrame(
        delivery({ key: 'k', body: 'x', properties: { headers: { 'evenkeel-error': error } } }),
        addressee.maxBytes,
      ),
    );
  expect(read('sold-out').code).toBe('sold-out');
  expect(read(7).code).toBe('7');
  for (const noText of [{ toString: 1 }, Object.create(null), null, [{ toString: 1 }]])
    expect(read(noText)).toMatchObject({ t: 'error', code: 'service-error', message: 'x', from: 'service' });
});
