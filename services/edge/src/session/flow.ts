import { type CloseCode, type GapReason, gapReasons } from '@evenkeel/protocol';
import type { EdgeConfig } from '../config.js';
import type { Connection } from '../transport/connection.js';
import type { SessionAccess } from './access.js';
import { Answers } from './answers.js';
import { Asks } from './asks.js';
import { Intake } from './intake.js';
import type { Load, SessionLoad } from './load.js';
import { Outbox } from './outbox.js';
import type { SessionPorts, SessionQueue } from './ports.js';
import type { ClientRequests } from './requests.js';

/** What the way of events asks and tells the session that it belongs to. */
export interface FlowOptions {
  readonly connection: Connection;
  readonly queue: SessionQueue;
  readonly access: Pick<SessionAccess, 'placed'>;
  readonly config: EdgeConfig;
  readonly ports: Pick<
    SessionPorts,
    'handover' | 'drops' | 'givenUp' | 'unsent' | 'following' | 'cancels' | 'asking'
  >;
  readonly load: Load;
  readonly own: SessionLoad;
  now(): number;
  /** Who waits for answers. */
  requests(): Pick<ClientRequests, 'replied' | 'progressed'>;
  /** As of the {@link Intake}. */
  onDelivering(): void;
  isTaking(): boolean;
  isLive(): boolean;
  onGap(reason: GapReason): void;
  onEnd(why: CloseCode): void;
}

/** The two ends of the way from a session's queue to its connection. */
export interface Flow {
  readonly intake: Intake;
  readonly outbox: Outbox;
}

/** Joins what is taken from a session's queue to what is written to its connection: each tells the other what it must know. */
export function eventFlow(options: FlowOptions): Flow {
  const { connection, queue, ports, load, own, now, requests, onDelivering } = options;
  const { isTaking, isLive, onGap, onEnd } = options;
  // Spelled out: an object of all settings, made for every session, is what takes longest here.
  const {
    window,
    highWatermarkBytes,
    maxEventBytes,
    sessionMaxLength: maxLength,
    maxStreams,
  } = options.config;
  const { givenUp, unsent, handover, drops, following } = ports;
  const answers = new Answers({
    claims: connection.claims,
    limit: maxStreams,
    maxBytes: maxEventBytes,
    asks: new Asks({
      claims: connection.claims,
      maxBytes: maxEventBytes,
      ackWithinMs: options.config.ackTimeoutMs / 2,
      isBare: connection.isBare,
      asking: ports.asking,
      now,
    }),
    cancels: ports.cancels,
    load: load.streams,
    onPart: (re) => requests().progressed(re),
  });
  const outbox = new Outbox(connection, {
    window,
    highWatermarkBytes,
    maxEventBytes,
    givenUp,
    unsent,
    following,
    answers,
    now,
    onEvent: (delivery, wallMs) => load.publishDelays.take(delivery, wallMs),
    onMeasured: (atMs, wallMs) => load.publishDelays.acked(atMs, wallMs),
    onWritten: (bytes, nowMs) => {
      load.delivered += 1;
      own.wrote(bytes, nowMs);
    },
    onReplied: (id) => requests().replied(id),
    onTooLarge: () => intake.seal.broken(gapReasons.tooLarge, true),
    onExpired: () => intake.seal.broken(gapReasons.expired, true),
    onAway: () => intake.fetchAgain(),
    onSettling: () => intake.settling(),
  });
  const intake = new Intake({
    handover,
    drops,
    claims: connection.claims,
    queue,
    outbox,
    isBare: connection.isBare,
    maxLength,
    window,
    now,
    onDelivering,
    isTaking,
    isOrder: (delivery) => options.access.placed.take(delivery, isLive(), connection.isBare),
    isLive,
    isOpen: () => connection.isOpen,
    onGap,
    onEnd,
  });
  return { intake, outbox };
}
