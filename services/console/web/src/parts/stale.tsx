import { useDesk } from '../context.js';
import { duration } from '../format.js';

/** Says that what is shown is old, how old, and why. What a screen reader hears of it is the announcer's. */
export function Stale({ problem }: { problem: string | undefined }) {
  const { staleMs } = useDesk();
  if (staleMs === undefined) return null;
  return (
    <p class="stale" data-testid="stale">
      <strong>as of {duration(staleMs)} ago</strong>
      <span>{problem ?? 'No node has been heard since.'}</span>
    </p>
  );
}
