import type { Rule } from '../rule.js';
import { type Outcome, runRules } from '../run.js';
import { pause } from '../verdict.js';
import { ClientCase, settleMs } from './case.js';

/** What came of checking a client. */
export interface Checked {
  readonly outcomes: readonly Outcome[];
  /** Rules that were not asked about, since the driver said that it cannot do what they need. */
  readonly notAsked: readonly Rule<ClientCase>[];
}

/** Starts the client once for each rule. @throws Error when it does not start. */
export async function checkClient(
  command: string,
  rules: readonly Rule<ClientCase>[],
  parallel: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<Checked> {
  // So that clients end with it, however it ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(2));
  const cannot = await tryClient(command);
  const isAsked = ({ needs = [] }: Rule<ClientCase>) => !needs.some((need) => cannot.includes(need));
  const outcomes = await runRules(() => ClientCase.open(command), rules.filter(isAsked), parallel, onOutcome);
  return { outcomes, notAsked: rules.filter((rule) => !isAsked(rule)) };
}

/** It starts and comes to an edge; returns what its driver says that it cannot do. @throws Error */
async function tryClient(command: string): Promise<unknown[]> {
  const c = await ClientCase.open(command);
  try {
    await c.connect();
    await pause(settleMs);
    const [driver] = c.all('driver');
    return Array.isArray(driver?.cannot) ? driver.cannot : [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why} The command was: ${command}`);
  } finally {
    await c.end();
  }
}
