import type { Case } from './case.js';

/** One thing that PROTOCOL.md asks of a server (or of a client), and how it is seen from outside, with a `C` to work with. */
export interface Rule<C = Case> {
  readonly id: string;
  /** Of PROTOCOL.md. */
  readonly section: string;
  readonly text: string;
  /** Takes half a minute or more; run with `--slow` only. */
  readonly isSlow?: boolean;
  /** PROTOCOL.md says SHOULD: who does otherwise is told so, and passes. */
  readonly isAdvice?: boolean;
  /** What the client's driver must be able to do; one that cannot is not asked. */
  readonly needs?: readonly string[];
  /** @throws Violation when the rule is not kept. */
  check(c: C): Promise<void>;
}
