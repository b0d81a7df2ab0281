import { isNodeName, isSid, isUid } from '@evenkeel/protocol/wire';
import { Sealed } from './sealed.js';

/** A session that nobody has come back to for this long is over everywhere, ms. */
export const maxResumeAgeMs = 30 * 24 * 3_600_000;
/** Most nodes that one names: those that the session was at last. */
export const maxResumeNodes = 8;
/** Longest one, in characters: eight nodes of 64 bytes, a user, a session. */
export const maxResumeChars = 1_536;

/** That a session is this user's, and where it was. */
export interface ResumeClaims {
  uid: string;
  sid: string;
  /** Newest first. */
  nodes: readonly string[];
}

/** Signs and checks what proves that a session is its user's. */
export class Resumes {
  readonly #sealed: Sealed;

  /** @param secrets those of tickets, of which keys for this are derived: the first signs; all are accepted */
  constructor(secrets: readonly string[]) {
    this.#sealed = new Sealed(secrets, 'evenkeel resume', maxResumeChars);
  }

  /** `nowMs`: ms since the epoch. Of more nodes than one names, the last are left out. */
  issue({ uid, sid, nodes }: ResumeClaims, nowMs: number): string {
    const named = [...new Set(nodes)].slice(0, maxResumeNodes);
    const text = this.#sealed.seal({ uid, sid, nodes: named, at: Math.round(nowMs) });
    if (text === undefined) throw new RangeError(`a resume has at most ${maxResumeChars} characters`);
    return text;
  }

  /** Undefined: it is none, or of a session of long ago, or of another user. */
  check(text: string, uid: string, nowMs: number): ResumeClaims | undefined {
    const { sid, nodes, at, ...claims } = this.#sealed.open(text) ?? {};
    if (!isUid(uid) || claims.uid !== uid || !isSid(sid) || typeof at !== 'number') return undefined;
    if (!(nowMs - at < maxResumeAgeMs) || !Array.isArray(nodes)) return undefined;
    return { uid, sid, nodes: nodes.filter(isNodeName) };
  }
}
