import { loads, nodeName, strategies } from '@evenkeel/protocol';
import { z } from 'zod';
import { planKinds, planStates } from '../core/plan/plan.js';

const count = z.number().int().nonnegative();

const progress = z.object({
  from: nodeName,
  to: nodeName,
  count,
  asked: count,
  done: count,
  failed: count,
  timedOut: count,
  refused: count,
  dropped: z.string().optional(),
});

const plan = z.object({
  id: z.string(),
  kind: z.enum(planKinds),
  why: z.string(),
  by: z.string(),
  strategy: z.enum(strategies),
  load: z.enum(loads),
  steps: z.array(
    z.object({
      from: nodeName,
      to: nodeName,
      count,
      isEstimate: z.literal(true).optional(),
      load: z.number().optional(),
    }),
  ),
  total: count,
  startedAt: z.number(),
  moveDeadlineMs: z.number(),
  ring: z
    .object({ points: z.number(), nodes: z.array(z.object({ node: nodeName, weight: z.number() })) })
    .optional(),
  endsBy: z.number().optional(),
});

/** What one leader leaves to the next. */
export const savedState = z.object({
  v: z.literal(1),
  plan: plan.optional(),
  run: z
    .object({
      state: z.enum(planStates),
      steps: z.array(z.object({ boot: z.string(), settledBatches: count, progress })),
    })
    .optional(),
  drains: z.array(
    z.object({ node: nodeName, boot: z.string(), by: z.string(), endsBy: z.number().optional() }),
  ),
  isPaused: z.boolean(),
  ring: z.array(z.object({ node: nodeName, weight: z.number() })).optional(),
  history: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(planKinds),
      state: z.string(),
      why: z.string(),
      outcome: z.string(),
      by: z.string(),
      total: count,
      done: count,
      failed: count,
      timedOut: count,
      startedAt: z.number(),
      endedAt: z.number(),
      moved: z.array(z.object({ from: nodeName, to: nodeName, done: count })),
    }),
  ),
});
