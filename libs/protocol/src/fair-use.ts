/**
 * Defaults of the limits that keep one client, user or address from spoiling an edge for the others.
 * PROTOCOL.md prints them in section 8.1; a test keeps them equal.
 */
export const fairUse = {
  /** Connections without a request yet. */
  maxPending: 1_000,
  /** The same of one address. */
  maxPendingPerAddress: 256,
  /** Sockets, and streams, that one address asks for. */
  handshakesPerSecond: 2_000,
  handshakesBurst: 20_000,
  /** The same of one user, on an edge, with good tickets. */
  userHandshakesPerSecond: 20,
  userHandshakesBurst: 256,
  /** Sockets of one user on an edge. */
  maxSocketsPerUser: 64,
  /** Sessions of one user that an edge keeps, without a socket ones included. */
  maxSessionsPerUser: 64,
  /** Frames of a connection; `welcome` says them. */
  framesPerSecond: 100,
  framesBurst: 400,
  /** Bytes of frames of a connection. */
  bytesPerSecond: 262_144,
  bytesBurst: 524_288,
  /** Frames of one user on an edge, as many as of 16 connections, and in a burst of 32. */
  userFramesPerSecond: 1_600,
  userFramesBurst: 12_800,
  /** Bytes of frames of one user on an edge. */
  userBytesPerSecond: 4_194_304,
  userBytesBurst: 16_777_216,
  /** Bytes of publishes and requests that the broker does not have yet. */
  maxWaitingBytes: 1_048_576,
  maxWaitingBytesPerUser: 4_194_304,
  /** Topics that nobody on the edge has subscribed yet, subscribed by one user. */
  userTopicsPerSecond: 20,
  userTopicsBurst: 200,
  /** Topics that an edge binds anew, of all users. */
  topicsPerSecond: 500,
  topicsBurst: 1_000,
} as const;
