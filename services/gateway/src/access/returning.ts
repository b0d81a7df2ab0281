import { maxResumeNodes, Resumes } from '@evenkeel/access';
import type { Identity } from '../auth/credentials.js';

/** Where a client says that it was. */
export interface Returning {
  readonly sid: string | undefined;
  /** The nodes that may hold the session, newest first. */
  readonly from: readonly string[];
  /** The resume that came with it. */
  readonly resume: string | undefined;
}

/** What is believed of it. */
export interface Believed {
  /** Undefined: a new session. */
  readonly sid: string | undefined;
  /** Asked for the session; each client's own session alone, so that a lie harms nobody else. */
  readonly from: readonly string[];
  /** The node that the session was at last, as far as that is known: others are told that it has lost a client. */
  readonly lastAt: string | undefined;
  /** The nodes that are known. */
  readonly nodes: readonly string[];
}

/** Whether a session is its user's, and where it was. */
export class Returns {
  readonly #resumes: Resumes;
  readonly #now: () => number;

  /** `now`: ms since the epoch */
  constructor(secrets: readonly string[], now: () => number) {
    this.#resumes = new Resumes(secrets);
    this.#now = now;
  }

  /**
   * What is believed of `said`. Whoever comes with a token proves it by the resume that it was given; without one the session is a
   * new one. In development mode everything is believed, as who the user is.
   */
  believe(said: Returning, { uid, token }: Identity): Believed {
    const { sid, from, resume } = said;
    if (sid === undefined) return { sid, from: [], lastAt: undefined, nodes: [] };
    const proof = resume === undefined ? undefined : this.#resumes.check(resume, uid, this.#now());
    const nodes = proof?.sid === sid ? proof.nodes : undefined;
    if (token === undefined) return { sid, from, lastAt: from[0], nodes: nodes ?? [] };
    if (nodes === undefined) return { sid: undefined, from: [], lastAt: undefined, nodes: [] };
    const [last] = from;
    return { sid, from, lastAt: last !== undefined && nodes.includes(last) ? last : undefined, nodes };
  }

  /** The resume for a session that is sent to `node` now. */
  issue(uid: string, sid: string, node: string, nodes: readonly string[]): string {
    return this.#resumes.issue({ uid, sid, nodes: [node, ...nodes].slice(0, maxResumeNodes) }, this.#now());
  }
}
