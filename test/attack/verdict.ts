import type { Seen } from './attack.js';
import type { Felt } from './innocents.js';

/** What a process weighed, MiB. */
export interface Weight {
  readonly name: string;
  readonly beforeMib: number;
  readonly peakMib: number;
  readonly afterMib: number;
}

/** One run of an attack, and what there was beside it. */
export interface Outcome {
  readonly seen: Seen;
  readonly control: Felt;
  readonly felt: Felt;
  readonly weights: readonly Weight[];
  /** Processes that ended without having been told to. */
  readonly ended: readonly string[];
  readonly maxGrowthMib: number;
}

/** Innocent clients' events, and attaches, may take twice as long as beside the control, and this much more. */
const spareMs = 5;
const spareAttachMs = 1000;
/** So many of the events published are to come. */
const leastPart = 0.98;

const mostMs = ({ p99Ms }: Felt): number => 2 * p99Ms + spareMs;
const mostAttachMs = ({ attachMaxMs }: Felt): number => 2 * attachMaxMs + spareAttachMs;

/** How late innocent clients' events or attaches were, as a part of what is allowed. */
export const lateness = ({ control, felt }: Pick<Outcome, 'control' | 'felt'>): number =>
  Math.max(felt.p99Ms / mostMs(control), felt.attachMaxMs / mostAttachMs(control));

/** Why the attack was not held off; empty: it was. `isTimed` false: how long events took is not judged. */
export function faults(outcome: Outcome, isTimed = true): string[] {
  const { seen, control, felt, weights, ended, maxGrowthMib } = outcome;
  const found: string[] = [];
  if (!seen.isRefused) found.push('not refused as documented');
  if (isTimed && felt.p99Ms > mostMs(control))
    found.push(`p99 above 2 × ${control.p99Ms.toFixed(1)} + ${spareMs} ms`);
  if (isTimed && felt.attachMaxMs > mostAttachMs(control))
    found.push(`an attach took more than 2 × ${control.attachMaxMs.toFixed(1)} + ${spareAttachMs} ms`);
  // Where nothing was published, nothing was tried.
  if (felt.events === 0 || felt.events < leastPart * felt.published)
    found.push(`of ${felt.published} events published, innocent clients got ${felt.events}`);
  const hanging = felt.begun - felt.attaches - felt.attachesFailed;
  if (hanging > 0) found.push(`${hanging} innocent clients were still waiting to be let in`);
  // Where the machine itself is too slow for it, the control has them too.
  if (felt.attachesFailed > control.attachesFailed)
    found.push(`${felt.attachesFailed} innocent clients were not let in: ${felt.failure}`);
  if (felt.troubled > control.troubled) found.push('innocent clients got a gap, or were closed');
  const grown = weights.find(({ beforeMib, peakMib }) => peakMib - beforeMib > maxGrowthMib);
  if (grown !== undefined) found.push(`${grown.name} grew by more than ${maxGrowthMib} MiB`);
  return [...found, ...ended.map((name) => `${name} ended`)];
}
