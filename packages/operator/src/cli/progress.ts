import type { PlanView } from '@evenkeel/protocol';
import { duration, whole } from './table.js';

/** How far a plan is. `etaMs` is undefined where nothing is known. */
export interface Progress {
  done: number;
  failed: number;
  total: number;
  etaMs: number | undefined;
}

/** The plan's own sums, or those of its moves. */
export function progressOf(plan: PlanView): Progress {
  const sum = (of: (step: NonNullable<PlanView['moves']>[number]) => number | undefined) =>
    (plan.moves ?? []).reduce((total, step) => total + (of(step) ?? 0), 0);
  return {
    done: plan.done ?? sum((s) => s.done),
    failed:
      plan.failed === undefined
        ? sum((s) => (s.failed ?? 0) + (s.timedOut ?? 0))
        : plan.failed + (plan.timedOut ?? 0),
    total: plan.total ?? sum((s) => s.count),
    etaMs: plan.etaMs ?? plan.estimatedMs ?? undefined,
  };
}

/** `[######----]  60 %  600 of 1,000  3 failed  8 s to go`. */
export function progressBar(progress: Progress, columns: number): string {
  const part = progress.total === 0 ? 1 : Math.min(1, progress.done / progress.total);
  const words = [
    `${Math.floor(part * 100)} %`.padStart(5),
    `${whole(progress.done)} of ${whole(progress.total)}`,
    ...(progress.failed > 0 ? [`${whole(progress.failed)} failed`] : []),
    ...(progress.etaMs === undefined || part === 1 ? [] : [`${duration(progress.etaMs)} to go`]),
  ].join('  ');
  const width = Math.max(10, Math.min(40, columns - words.length - 4));
  const filled = Math.round(part * width);
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${words}`;
}

/**
 * Time to go from two looks at a plan, for when the balancer names none: at the pace since the first one.
 * Undefined until something has moved.
 */
export function estimateMs(
  first: { done: number; atMs: number },
  now: { done: number; total: number; atMs: number },
): number | undefined {
  const moved = now.done - first.done;
  if (moved <= 0 || now.atMs <= first.atMs) return undefined;
  return ((now.total - now.done) * (now.atMs - first.atMs)) / moved;
}
