import { monotonicNow } from '@evenkeel/pace';
import {
  defineMesh,
  infoText,
  isPattern,
  isTopicPattern,
  type MeshDefinition,
  maxInfoBytes,
} from '@evenkeel/protocol/wire';
import { shown } from '../check.js';
import { ClientError } from '../errors.js';
import type { OfflineOptions } from '../more/offline.js';
import { fallingBack, type Transport } from '../more/sse/fallback.js';
import type { ConnectOptions as CoreOptions } from '../options.js';
import type { WebSocketClass } from '../transport/web-socket.js';

/**
 * Options of {@link connect}. Only `gateway` (or `placement`) is needed.
 * @example
 * const options: ConnectOptions = { gateway, getToken: async () => token, handlerTimeoutMs: 10_000 };
 * const patient = connect(options);
 */
export interface ConnectOptions extends CoreOptions {
  /**
   * What the mesh carries, as {@link defineMesh} makes it: types come from it, and what comes is checked. An event or a message that is
   * not as defined is not handed on, counts as handled, and is told as the status `bad-data`; calls reject with `bad-data`.
   */
  mesh?: MeshDefinition | undefined;
  /** What others see of this session in topics that say who is there, unless the token says it: JSON of at most 1,024 bytes. */
  info?: unknown;
  /**
   * How frames travel, the first that works. Default `['websocket', 'sse']`: after two WebSockets in a row that could not be opened the
   * client goes on by server-sent events and posts, for ten minutes, or for as long as that connection lasts.
   */
  transports?: readonly Transport[] | undefined;
  /**
   * Publishes without a `timeoutMs` of their own wait for as long as there is no connection, at most `max` of them, and are then sent in
   * order. Without this one waits 30 s. A reload loses what waits.
   */
  offline?: OfflineOptions | undefined;
}

const allTransports: readonly Transport[] = ['websocket', 'sse'];

/**
 * What the core gets of them: the place for a part that dials otherwise, such as one that replaces `WebSocket`.
 * @throws ClientError `bad-option`
 */
export function coreOptions(options: ConnectOptions): CoreOptions {
  const { info, transports = allTransports, offline, mesh, ...given } = options;
  const core = { ...given, ...(given.topics && { topics: topicsIn(given.topics) }) };
  if (offline !== undefined) checkOffline(offline, core.maxPending);
  if (info !== undefined) checkInfo(info);
  if (mesh !== undefined) checkMesh(mesh);
  checkTransports(transports);
  if (!transports.includes('sse')) return core;
  const WebSocket = core.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  // Without a WebSocket where one is wanted the core says so.
  if (WebSocket === undefined && transports.includes('websocket')) return core;
  const { fetch } = core;
  return { ...core, WebSocket: fallingBack({ transports, WebSocket, fetch, now: monotonicNow }) };
}

/** The core knows topics alone. */
const topicsIn = (wanted: string[]): string[] =>
  Array.isArray(wanted) ? wanted.filter((topic) => !isPatternName(topic)) : wanted;

/** Patterns that are to be subscribed from the start. */
export const patternsIn = ({ topics = [] }: ConnectOptions): string[] => topics.filter(isPatternName);

const isPatternName = (name: unknown): boolean => isTopicPattern(name) && isPattern(name);

function checkTransports(transports: unknown): void {
  const isFine =
    Array.isArray(transports) &&
    transports.length > 0 &&
    transports.every(
      (each: Transport, at) => allTransports.includes(each) && transports.indexOf(each) === at,
    );
  if (isFine) return;
  const given = Array.isArray(transports) ? JSON.stringify(transports) : shown(transports);
  throw new ClientError('bad-option', `transports must be some of "websocket" and "sse", got ${given}`);
}

function checkOffline(offline: OfflineOptions, maxPending = 1_000): void {
  const { max } = (offline ?? {}) as OfflineOptions;
  if (Number.isInteger(max) && max > 0 && max <= maxPending) return;
  const most = `a whole number from 1 to maxPending (${maxPending})`;
  throw new ClientError('bad-option', `offline.max must be ${most}, got ${shown(max)}`);
}

function checkMesh(mesh: MeshDefinition): void {
  try {
    defineMesh(mesh);
  } catch (error) {
    throw new ClientError('bad-option', `mesh is none: ${String(error)}`, error);
  }
}

function checkInfo(info: unknown): void {
  // Undefined also where it refers to itself, or has what JSON has not.
  if (infoText(info) === undefined)
    throw new ClientError('bad-option', `info is JSON of at most ${maxInfoBytes} bytes`);
}
