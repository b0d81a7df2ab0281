import { count, counted } from '../format.js';
import { to } from '../route.js';
import { Scroll } from './scroll.js';

interface Step {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly done?: number | undefined;
}

/** Lines shown at once; a plan over a thousand nodes has more. */
const maxShown = { running: 6, proposed: 12 } as const;

/** Who goes where. */
export function Steps({ moves, isRunning = false }: { moves: readonly Step[]; isRunning?: boolean }) {
  if (moves.length === 0) return null;
  const most = maxShown[isRunning ? 'running' : 'proposed'];
  const shown = [...moves].sort((a, b) => b.count - a.count).slice(0, most);
  return (
    <Scroll name="Who goes where">
      <table class="steps">
        <caption class="hidden">Who goes where</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col" class="number">
              Sessions
            </th>
            {isRunning && (
              <th scope="col" class="number">
                Moved
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {shown.map((step) => (
            <tr key={`${step.from} ${step.to}`}>
              <td>
                <a href={to('node', step.from)}>{step.from}</a>
              </td>
              <td>
                <a href={to('node', step.to)}>{step.to}</a>
              </td>
              <td class="number">{count(step.count)}</td>
              {isRunning && <td class="number">{count(step.done ?? 0)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {moves.length > most && (
        <p class="note">and {counted(moves.length - most, 'pair')} of nodes more, with fewer sessions each</p>
      )}
    </Scroll>
  );
}
