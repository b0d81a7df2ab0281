import { fairUse } from '@evenkeel/protocol';
import { setting } from '@evenkeel/runtime';

const { bytes, count } = setting;

const rate = () => count(1_000_000);
const amount = () => bytes(1_073_741_824);

/** Settings that keep one client, or one address, from spoiling the edge for the others. */
export const limitSettings = {
  maxPending: count(1_000_000)
    .default(fairUse.maxPending)
    .describe('connections that have not asked for anything yet; more are closed at once'),
  maxPendingPerAddress: count(1_000_000)
    .default(fairUse.maxPendingPerAddress)
    .describe(
      'the same of one address, of IPv6 a /64, within 12 s; not counted behind EVENKEEL_TRUSTED_HOPS',
    ),
  handshakesPerSecond: rate()
    .default(fairUse.handshakesPerSecond)
    .describe('sockets a second that one address asks for; one that is refused for its ticket counts as 20'),
  handshakesBurst: rate().default(fairUse.handshakesBurst).describe('the same, in one burst'),
  userHandshakesPerSecond: rate()
    .default(fairUse.userHandshakesPerSecond)
    .describe('sockets a second that one user asks for, with good tickets; planned moves do not count'),
  userHandshakesBurst: rate().default(fairUse.userHandshakesBurst).describe('the same, in one burst'),
  maxSocketsPerUser: count(1_000_000)
    .default(fairUse.maxSocketsPerUser)
    .describe('sockets of one user on this edge; more are answered 429'),
  maxSessionsPerUser: count(1_000_000)
    .default(fairUse.maxSessionsPerUser)
    .describe('sessions of one user on this edge; beyond it the oldest without a socket ends'),
  framesPerSecond: rate()
    .default(fairUse.framesPerSecond)
    .describe('frames a second, a connection, of every kind but acknowledgements that get on'),
  framesBurst: rate().default(fairUse.framesBurst).describe('the same, in one burst'),
  bytesPerSecond: amount().default(fairUse.bytesPerSecond).describe('bytes of frames a second, a connection'),
  bytesBurst: amount()
    .default(fairUse.bytesBurst)
    .describe('the same, in one burst; at least the largest frame'),
  userFramesPerSecond: rate()
    .default(fairUse.userFramesPerSecond)
    .describe('frames a second, of one user on this edge; at least those of a connection'),
  userFramesBurst: rate().default(fairUse.userFramesBurst).describe('the same, in one burst'),
  userBytesPerSecond: amount()
    .default(fairUse.userBytesPerSecond)
    .describe('bytes of frames a second, of one user on this edge'),
  userBytesBurst: amount()
    .default(fairUse.userBytesBurst)
    .describe('the same, in one burst; at least the largest frame'),
  maxWaitingBytes: amount()
    .default(fairUse.maxWaitingBytes)
    .describe('bytes of a connection that the broker does not have yet; at least the largest frame'),
  maxWaitingBytesPerUser: amount()
    .default(fairUse.maxWaitingBytesPerUser)
    .describe('the same, of one user on this edge'),
  userTopicsPerSecond: rate()
    .default(fairUse.userTopicsPerSecond)
    .describe('topics that nobody on this edge had subscribed, a second, subscribed by one user'),
  userTopicsBurst: rate().default(fairUse.userTopicsBurst).describe('the same, in one burst'),
  topicsPerSecond: rate()
    .default(fairUse.topicsPerSecond)
    .describe('topics that this edge does not have yet, bound a second; users take turns'),
  topicsBurst: rate().default(fairUse.topicsBurst).describe('the same, in one burst'),
  maxPresent: count(10_000_000)
    .default(100_000)
    .describe('sessions in topics whose members are told, one for each of its topics; more are not told of'),
  limitLoopback: setting.limitLoopback(),
};

/** What clients send is at the broker so much at a time: more would be work that everybody else's events wait behind. */
export const clientsWindow = { windowBytes: 131_072 } as const;

/**
 * Once RabbitMQ has been in an alarm for so long, what clients send is refused where it has not been handed over yet, instead of waiting;
 * a client sends it again after `retryAfterMs`. All in ms.
 */
export const inAlarm = { refusedAfterMs: 1_000, retryAfterMs: 5_000 } as const;
