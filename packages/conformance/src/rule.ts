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

/** A rule was not kept; the message says what was seen. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function must(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

/** Compares by JSON. */
export function mustEqual(seen: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  must(a === b, `${what}: ${a ?? 'nothing'} where ${b ?? 'nothing'} was wanted`);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
