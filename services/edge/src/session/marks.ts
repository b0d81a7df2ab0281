import type { Delivery } from '@evenkeel/broker';
import { collapseHeader, onlyOnlineHeader } from '@evenkeel/protocol';

/** What its publisher says of an event that is kept back. */
export interface Marks {
  /** Only the newest of this key is worth sending. */
  readonly key: string | undefined;
  /** It is not sent from then on, ms. */
  readonly untilMs: number | undefined;
}

/** Of an event that has come at `nowMs`; undefined: nothing is said of it. */
export function marksOf({ properties }: Pick<Delivery, 'properties'>, nowMs: number): Marks | undefined {
  const { expiration, headers } = properties;
  const said = headers[collapseHeader];
  const key = typeof said === 'string' && said !== '' ? said : undefined;
  const ttlMs = expiration === undefined ? Number.NaN : Number(expiration);
  const untilMs = Number.isNaN(ttlMs) ? undefined : nowMs + ttlMs;
  return key === undefined && untilMs === undefined ? undefined : { key, untilMs };
}

/** Whether an event is of use only to who is connected when it is published. */
export const isOnlyOnline = ({ properties }: Pick<Delivery, 'properties'>): boolean => {
  const said = properties.headers[onlyOnlineHeader];
  return said === true || said === 'true';
};
