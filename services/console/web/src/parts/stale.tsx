import { useDesk } from '../context.js';
import { duration } from '../format.js';
import { staleReason } from '../words.js';

/** Says that what is shown is old, how old, and why. What a screen reader hears of it is the announcer's. */
export function Stale() {
  const { live, staleMs } = useDesk();
  if (staleMs === undefined) return null;
  return (
    <p class="stale" data-testid="stale">
      <strong>as of {duration(staleMs)} ago</strong>
      <span>{staleReason(live.problem, live.status?.silentMs)}</span>
    </p>
  );
}
