import { Case } from './case.js';
import type { MeshUnderTest } from './mesh.js';
import type { Rule } from './rule.js';

export interface Outcome {
  readonly id: string;
  readonly section: string;
  readonly text: string;
  readonly passed: boolean;
  readonly ms: number;
  /** What was seen instead. */
  readonly reason?: string;
}

/**
 * Runs the rules, some side by side: each has its own users, and some wait for seconds. `onOutcome` hears of
 * them in the order of `rules`.
 */
export async function runRules(
  mesh: MeshUnderTest,
  rules: readonly Rule[],
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
      outcomes[index] = await runRule(mesh, rule);
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

async function runRule(mesh: MeshUnderTest, { id, section, text, check }: Rule): Promise<Outcome> {
  const c = new Case(mesh);
  const startedAtMs = performance.now();
  const outcome = (reason?: string): Outcome => ({
    id,
    section,
    text,
    passed: reason === undefined,
    ms: Math.round(performance.now() - startedAtMs),
    ...(reason !== undefined && { reason }),
  });
  try {
    await check(c);
    return outcome();
  } catch (error) {
    return outcome(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  } finally {
    await c.end().catch(() => {});
  }
}
