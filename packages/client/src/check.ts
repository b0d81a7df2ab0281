import { isSid, isTopic } from '@evenkeel/protocol/wire';
import { ClientError } from './errors.js';
import * as limits from './limits.js';
import type { ConnectOptions } from './options.js';

/** What was given, for a message to whoever gave it. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64));
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : value ? 'an object' : 'null';
  return typeof value === 'number' ? `${value}` : typeof value;
};

const refuse = (name: string, needed: string, given: unknown, code = 'bad-option'): never => {
  throw new ClientError(code, `${name} must be ${needed}, got ${shown(given)}`);
};

/** @throws ClientError `bad-name`. An edge would close the connection for good on some of these. */
export function checkName(name: unknown): void {
  if (!isTopic(name))
    refuse('name', 'words of [A-Za-z0-9_~-] joined by dots, at most 200 bytes', name, 'bad-name');
}

/** @throws ClientError `bad-name` for what no event is called: nothing would ever be handled. */
export function checkEventName(name: unknown): void {
  if (typeof name !== 'string' || !name || (name !== '*' && /[*#]/.test(name)))
    refuse('name', "an event's, or '*'", name, 'bad-name');
}

/** @throws ClientError `bad-option` unless it is left out, a number from `least` to `most`, or Infinity, which is no limit. */
export function checkNumber(name: string, value: unknown, least: number, most = Number.MAX_VALUE): void {
  const isFine = typeof value === 'number' && value >= least && (value <= most || value === Infinity);
  if (value === undefined || isFine) return;
  const upTo = most < Number.MAX_VALUE ? ` to ${most}` : '';
  refuse(name, `a number from ${least}${upTo}, or Infinity`, value);
}

/** @throws ClientError for what can never work. */
export function checkOptions(options: ConnectOptions): void {
  const { gateway, placement, topics = [], backoff } = options;
  const check = (
    name: keyof ConnectOptions,
    isFine: (given: unknown) => boolean,
    needed: string,
    code?: string,
  ): void => {
    const given = options[name];
    if (given !== undefined && !isFine(given)) refuse(name, needed, given, code);
  };
  const isText = (given: unknown): boolean => typeof given === 'string' && !!given;
  check('user', isText, 'a text that is not empty', 'bad-user-id');
  check('session', isSid, '[A-Za-z0-9_-]{1,64}');
  check('token', isText, 'a text that is not empty');
  for (const name of ['getToken', 'placement', 'fetch', 'beforeMove', 'random'] as const)
    check(name, (given) => typeof given === 'function', 'a function');
  check('topics', Array.isArray, 'a list');
  if (topics.length > limits.topics)
    refuse('topics', `at most ${limits.topics}`, topics.length, 'topic-limit');
  for (const topic of topics) checkName(topic);
  if (!placement && !isBaseUrl(gateway)) refuse('gateway', 'an http(s) URL', gateway);
  checkNumber('handlerTimeoutMs', options.handlerTimeoutMs, 1, limits.handlerMs);
  checkNumber('ackAfterMs', options.ackAfterMs, 0);
  for (const name of ['ackEvery', 'maxPending', 'topicMemory'] as const) checkNumber(name, options[name], 1);
  for (const name of ['minMs', 'maxMs'] as const) checkNumber(`backoff.${name}`, backoff?.[name], 1);
}

function isBaseUrl(gateway: unknown): boolean {
  try {
    const { protocol, search, hash, username } = new URL(gateway as string);
    return /^https?:$/.test(protocol) && !(search + hash + username) && typeof gateway === 'string';
  } catch {
    return false;
  }
}
