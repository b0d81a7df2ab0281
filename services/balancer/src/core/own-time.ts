import type { NodeClocks } from '@evenkeel/cluster';
import { isHeld } from './automatic.js';
import type { SavedState } from './state.js';

/** A clock that is this little off is the same host's: what it has noted stays as it is. */
const sameMs = 500;

/** Whether something in it ends at a time: whoever takes it over has to know its clock first. */
export function hasEnd({ clock, drains, aborted }: SavedState): boolean {
  if (clock === undefined) return false;
  return drains.some(isTimed) || (aborted !== undefined && isHeld(aborted, clock.at));
}

const isTimed = ({ endsBy, ended }: SavedState['drains'][number]): boolean =>
  endsBy !== undefined && ended === undefined;

/**
 * What a leader before has left, with its times by the clock of whoever takes it over. No two hosts' clocks are compared: both have
 * heard the same nodes. Where they have heard none, what is to end ends as much later as has passed since it was saved.
 */
export function inOwnTime(saved: SavedState, clocks: Pick<NodeClocks, 'aheadOf'>, nowMs: number): SavedState {
  const { clock } = saved;
  // From a balancer of before, which says nothing of its clock.
  if (clock === undefined) return saved;
  const aheadMs = clocks.aheadOf(clock.nodes);
  if (aheadMs === undefined) return waitsMoved(saved, nowMs - clock.at);
  if (Math.abs(aheadMs) < sameMs) return saved;
  return notesMoved(waitsMoved(saved, Math.round(aheadMs)), Math.round(aheadMs));
}

/** What something is waited for by. */
function waitsMoved(saved: SavedState, byMs: number): SavedState {
  const { plan, aborted, drains } = saved;
  const moved = <T extends { readonly endsBy?: number }>(it: T): T =>
    it.endsBy === undefined ? it : { ...it, endsBy: it.endsBy + byMs };
  return {
    ...saved,
    drains: drains.map(moved),
    ...(plan === undefined ? {} : { plan: { ...moved(plan), startedAt: plan.startedAt + byMs } }),
    ...(aborted === undefined ? {} : { aborted: { ...aborted, at: aborted.at + byMs } }),
  };
}

/** And what is only shown. */
function notesMoved(saved: SavedState, byMs: number): SavedState {
  const { pause, cordons, settings, nodeSettings, drains, history } = saved;
  const moved = <T extends { readonly at: number }>(it: T): T => ({ ...it, at: it.at + byMs });
  return {
    ...saved,
    drains: drains.map((goal) => (goal.ended === undefined ? goal : { ...goal, ended: moved(goal.ended) })),
    history: history.map((past) => ({
      ...past,
      startedAt: past.startedAt + byMs,
      endedAt: past.endedAt + byMs,
    })),
    ...(pause === undefined ? {} : { pause: moved(pause) }),
    ...(cordons === undefined ? {} : { cordons: cordons.map(moved) }),
    ...(settings === undefined ? {} : { settings: settings.map(moved) }),
    ...(nodeSettings === undefined ? {} : { nodeSettings: nodeSettings.map(moved) }),
  };
}
