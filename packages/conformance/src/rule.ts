import type { Case } from './case.js';

/** One thing that PROTOCOL.md asks of a server, and how it is seen from outside. */
export interface Rule {
  readonly id: string;
  /** Of PROTOCOL.md. */
  readonly section: string;
  readonly text: string;
  /** Takes half a minute or more; run with `--slow` only. */
  readonly isSlow?: boolean;
  /** @throws Violation when the server does not keep the rule. */
  check(c: Case): Promise<void>;
}
