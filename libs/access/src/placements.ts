import { isSid, isTopicPattern, isUid } from '@evenkeel/protocol/wire';
import { Sealed } from './sealed.js';

/** That a service has put a session into a topic is shown for so long, ms; edges write it anew before. */
export const maxPlacementAgeMs = 3_600_000;
/** Longest one, in characters: a topic, a user, a session. */
export const maxPlacementChars = 1_024;

/** That a service has put this session into this topic. */
export interface PlacementClaims {
  readonly uid: string;
  readonly sid: string;
  readonly topic: string;
}

/** Signs and checks what proves that a service has put a session into a topic: it outlives the edge that it was done on. */
export class Placements {
  readonly #sealed: Sealed;

  /** @param secrets those of tickets, of which keys for this are derived: the first signs; all are accepted */
  constructor(secrets: readonly string[]) {
    this.#sealed = new Sealed(secrets, 'evenkeel placement', maxPlacementChars);
  }

  /** `nowMs`: ms since the epoch. */
  issue({ uid, sid, topic }: PlacementClaims, nowMs: number): string {
    const text = this.#sealed.seal({ uid, sid, topic, at: Math.round(nowMs) });
    if (text === undefined) throw new RangeError(`a placement has at most ${maxPlacementChars} characters`);
    return text;
  }

  /** Whether it is one, of this session and this topic, and not of long ago. */
  check(text: string, { uid, sid, topic }: PlacementClaims, nowMs: number): boolean {
    if (!isUid(uid) || !isSid(sid) || !isTopicPattern(topic)) return false;
    const claims = this.#sealed.open(text);
    if (claims === undefined || typeof claims.at !== 'number') return false;
    if (claims.uid !== uid || claims.sid !== sid || claims.topic !== topic) return false;
    return nowMs - claims.at < maxPlacementAgeMs;
  }
}
