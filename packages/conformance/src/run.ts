import type { Rule } from './rule.js';
import { Violation } from './verdict.js';

export interface Outcome {
  readonly id: string;
  readonly section: string;
  readonly text: string;
  readonly passed: boolean;
  /** Only a SHOULD: it counts for nothing. */
  readonly isAdvice: boolean;
  readonly ms: number;
  /** What was seen instead. */
  readonly reason?: string;
}

/** What one rule works with, made for it alone. */
export interface Bench {
  /** @throws Violation for what no rule asks about in particular. */
  judge?(): void;
  end(): Promise<void>;
}

/** Runs the rules, some side by side: some wait for seconds. `onOutcome` hears of them in the order of `rules`. */
export async function runRules<C extends Bench>(
  open: () => C | Promise<C>,
  rules: readonly Rule<C>[],
  parallel: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let told = 0;
  // The slow begin first, so that the others run meanwhile.
  const waiting = [...rules.keys()].sort(
    (a, b) => Number(rules[b]?.isSlow ?? 0) - Number(rules[a]?.isSlow ?? 0),
  );
  const worker = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const rule = rules[index];
      if (rule === undefined) continue;
      outcomes[index] = await runRule(await open(), rule);
      for (let next = outcomes[told]; next !== undefined; next = outcomes[told]) {
        onOutcome(next);
        told += 1;
      }
    }
  };
  const slow = rules.filter(({ isSlow }) => isSlow === true).length;
  await Promise.all(Array.from({ length: parallel + slow }, worker));
  return outcomes;
}

async function runRule<C extends Bench>(c: C, rule: Rule<C>): Promise<Outcome> {
  const { id, section, text, isAdvice = false, check } = rule;
  const startedAtMs = performance.now();
  const outcome = (reason?: string): Outcome => ({
    id,
    section,
    text,
    passed: reason === undefined,
    isAdvice,
    ms: Math.round(performance.now() - startedAtMs),
    ...(reason !== undefined && { reason }),
  });
  try {
    await check(c);
    c.judge?.();
    return outcome();
  } catch (error) {
    if (error instanceof Violation) return outcome(error.message);
    return outcome(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  } finally {
    await c.end().catch(() => {});
  }
}
