import { loads, nodeCapacity, nodeName, nodeWeight, strategies } from '@evenkeel/protocol';
import { z } from 'zod';
import { isLiveName, liveSetting } from '../config.js';
import type { LiveSetting } from '../core/live-settings.js';
import { planKinds, planStates } from '../core/plan/plan.js';
import type { NewerState, SavedState } from '../core/state.js';

const count = z.number().int().nonnegative();

const ringNodes = z.array(z.object({ node: nodeName, weight: z.number().positive() })).max(5_000);

const progress = z.object({
  from: nodeName,
  to: nodeName,
  count,
  asked: count,
  done: count,
  failed: count,
  pinned: count.default(0),
  timedOut: count,
  refused: count,
  dropped: z.string().exactOptional(),
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
      isEstimate: z.literal(true).exactOptional(),
      isCapped: z.literal(true).exactOptional(),
      load: z.number().exactOptional(),
      closesPerSecond: z.number().positive().exactOptional(),
    }),
  ),
  total: count,
  startedAt: z.number(),
  moveDeadlineMs: z.number(),
  drains: z.array(nodeName).exactOptional(),
  ring: z.object({ points: z.number().int().positive().max(10_000), nodes: ringNodes }).exactOptional(),
  isShort: z.literal(true).exactOptional(),
  endsBy: z.number().exactOptional(),
});

const drain = z.object({
  node: nodeName,
  boot: z.string(),
  by: z.string(),
  endsBy: z.number().exactOptional(),
  closesPerSecond: z.number().positive().exactOptional(),
  isMet: z.literal(true).exactOptional(),
  ended: z.object({ at: z.number(), left: count }).exactOptional(),
});

const cordon = z.object({ node: nodeName, by: z.string(), at: z.number() });

const setter = { by: z.string(), at: z.number() };
/** Each value is checked again: by another version it may have been set when other rules held. One that breaks them is left out. */
const settings = z
  .array(z.object({ name: z.string(), value: z.unknown(), ...setter }))
  .transform((all): LiveSetting[] =>
    all.flatMap(({ name, value, by, at }) => {
      const read = isLiveName(name) ? liveSetting(name, value, { by, at }) : undefined;
      return read !== undefined && 'value' in read ? [read.value] : [];
    }),
  );
const nodeSetting = z.object({
  node: nodeName,
  weight: nodeWeight.exactOptional(),
  capacity: nodeCapacity.exactOptional(),
  ...setter,
});
/** The same of each node. */
const nodeSettings = z.array(z.unknown()).transform((all) =>
  all.flatMap((each) => {
    const read = nodeSetting.safeParse(each);
    return read.success ? [read.data] : [];
  }),
);

const clock = z.object({
  at: z.number(),
  nodes: z.array(z.object({ node: nodeName, boot: z.string(), aheadMs: z.number() })).max(1_000),
});

const pause = z.object({ by: z.string(), at: z.number(), why: z.string().exactOptional() });

/** What one leader leaves to the next. */
const savedState = z.object({
  v: z.literal(1),
  clock: clock.exactOptional(),
  plan: plan.exactOptional(),
  run: z
    .object({
      state: z.enum(planStates),
      steps: z.array(z.object({ boot: z.string(), settledBatches: count, progress })),
    })
    .exactOptional(),
  drains: z.array(drain),
  isPaused: z.boolean(),
  pause: pause.exactOptional(),
  aborted: pause.exactOptional(),
  cordons: z.array(cordon).exactOptional(),
  settings: settings.exactOptional(),
  nodeSettings: nodeSettings.exactOptional(),
  ring: ringNodes.exactOptional(),
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
      pinned: count.default(0),
      timedOut: count,
      startedAt: z.number(),
      endedAt: z.number(),
      moved: z.array(z.object({ from: nodeName, to: nodeName, done: count })),
    }),
  ),
});

/** What operators have asked for, which a plan that cannot be read must not take along. */
const wishes = savedState.pick({ isPaused: true }).extend({
  drains: z.array(drain).catch([]),
  cordons: z.array(cordon).catch([]),
  settings: settings.catch([]),
  nodeSettings: nodeSettings.catch([]),
  pause: pause.optional().catch(undefined),
  clock: clock.optional().catch(undefined),
});

/** The version of a state that is later than this one's. */
const newer = z.object({ v: z.number().min(2) });

/**
 * Reads what another balancer has saved, perhaps one of another version. Of a later one it tells the version alone. Where the
 * plan of this one's own cannot be read, `unreadable` says why and the state has what operators asked for.
 * @throws ZodError where nothing can be read.
 */
export function readState(raw: unknown): NewerState | { state: SavedState; unreadable?: string } {
  const later = newer.safeParse(raw);
  if (later.success) return { newer: later.data.v };
  const all = savedState.safeParse(raw);
  if (all.success) return { state: all.data };
  const { pause, clock, ...wanted } = wishes.parse(raw);
  const paused = pause === undefined ? {} : { pause };
  const clocked = clock === undefined ? {} : { clock };
  return {
    state: { v: 1, ...wanted, ...paused, ...clocked, history: [] },
    unreadable: all.error.message,
  };
}
