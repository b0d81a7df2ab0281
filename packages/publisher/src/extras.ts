import { collapseHeader, keyHeader, onlyOnlineHeader } from '@evenkeel/protocol/wire';
import { PublisherError } from './errors.js';
import type { DirectedOptions, TopicOptions } from './message.js';

/** What the options of an event say that is for edges and the broker to heed. */
export interface Extras {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly expiration?: number;
}

/** Longest that an event can wait, ms: more than a session lives. */
const maxExpirationMs = 2_147_483_647;

/** @throws PublisherError `bad-option` */
export function extrasOf(options: DirectedOptions & TopicOptions): Extras {
  const { expirationMs, onlyOnline, collapse, key, onReceipt } = options;
  if (expirationMs !== undefined) {
    const isFine = Number.isSafeInteger(expirationMs) && expirationMs >= 0 && expirationMs <= maxExpirationMs;
    if (!isFine) throw bad('expirationMs', `a whole number from 0 to ${maxExpirationMs}`);
  }
  if (onlyOnline !== undefined && typeof onlyOnline !== 'boolean') throw bad('onlyOnline', 'true or false');
  if (onReceipt !== undefined && typeof onReceipt !== 'function') throw bad('onReceipt', 'a function');
  for (const [name, text] of Object.entries({ collapse, key })) {
    if (text !== undefined && (typeof text !== 'string' || text === ''))
      throw bad(name, 'a text that is not empty');
  }
  return {
    headers: {
      ...(onlyOnline === true && { [onlyOnlineHeader]: true }),
      ...(collapse !== undefined && { [collapseHeader]: collapse }),
      ...(key !== undefined && { [keyHeader]: key }),
    },
    ...(expirationMs !== undefined && { expiration: expirationMs }),
  };
}

const bad = (option: string, needed: string): PublisherError =>
  new PublisherError('bad-option', `${option} must be ${needed}`);
