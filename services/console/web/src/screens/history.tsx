import type { EventsAnswer, HistoryAnswer } from '@evenkeel/protocol';
import { useState } from 'preact/hooks';
import { useDesk } from '../context.js';
import { counted, duration, moment } from '../format.js';
import { useAnswer } from '../live.js';
import { Confirm } from '../parts/confirm.js';
import { resultOf, undone } from '../parts/plan-panel.js';
import { Scroll } from '../parts/scroll.js';
import type { Plan } from '../types.js';
import { planWord } from '../words.js';

const everyMs = 3_000;
/** Entries that are shown at first, and how many more at a time. */
const shownAtOnce = 30;

/** Plans that are over, and who did what. */
export function HistoryScreen() {
  const { act, canOperate } = useDesk();
  const plans = useAnswer<HistoryAnswer>('/api/history', everyMs);
  const now = Date.now();
  return (
    <>
      <h1>History</h1>
      <Log />
      <section class="card" aria-labelledby="plans-title">
        <h2 id="plans-title">Plans</h2>
        {plans.error !== undefined && <p class="trouble">{plans.error}</p>}
        {plans.answer?.plans.length === 0 && <p class="note">No plan has run yet.</p>}
        {plans.answer !== undefined && plans.answer.plans.length > 0 && (
          <Scroll name="Table of plans">
            <table>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Plan</th>
                  <th scope="col">By</th>
                  <th scope="col">Result</th>
                  <th scope="col">Took</th>
                  {canOperate && <th scope="col">Undo</th>}
                </tr>
              </thead>
              <tbody>
                {plans.answer.plans.map((plan) => (
                  <tr key={plan.id}>
                    <td>{plan.startedAt === undefined ? '–' : moment(plan.startedAt, now)}</td>
                    <td>
                      {planWord[plan.kind ?? ''] ?? plan.kind}
                      {plan.reason && <span class="note"> {plan.reason}</span>}
                    </td>
                    <td>{plan.by ?? 'auto'}</td>
                    <td>{resultOf(plan)}</td>
                    <td>{tookOf(plan)}</td>
                    {canOperate && (
                      <td>
                        {plan.id && (plan.done ?? 0) > 0 && (
                          <Confirm
                            question={`Move ${counted(plan.done ?? 0, 'session')} back, and pause rebalancing?`}
                            yes="Undo"
                            onYes={() =>
                              void act({ command: 'undo', plan: plan.id ?? '' }, undone).then(plans.again)
                            }
                          >
                            Undo
                          </Confirm>
                        )}
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </section>
    </>
  );
}

const tookOf = ({ startedAt, endedAt }: Plan): string =>
  startedAt === undefined || endedAt === undefined ? '–' : duration(endedAt - startedAt);

const kinds = [
  { kind: '', name: 'everything' },
  { kind: 'command', name: 'commands' },
  { kind: 'plan', name: 'plans' },
  { kind: 'node', name: 'nodes' },
  { kind: 'leader', name: 'balancers' },
] as const;

function Log() {
  const { answer, error } = useAnswer<EventsAnswer>('/api/events', everyMs);
  const [wanted, choose] = useState('');
  const [shown, show] = useState(shownAtOnce);
  const now = Date.now();
  const events = (answer?.events ?? []).filter(({ kind }) => wanted === '' || kind === wanted);
  return (
    <section class="card" aria-labelledby="log-title">
      <div class="card-head">
        <h2 id="log-title">What has happened</h2>
        <select
          aria-label="Show"
          value={wanted}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
        >
          {kinds.map(({ kind, name }) => (
            <option key={kind} value={kind}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {error !== undefined && <p class="trouble">{error}</p>}
      {answer !== undefined && events.length === 0 && <p class="note">Nothing since this balancer leads.</p>}
      <ol class="log" data-testid="log" aria-label="Newest first">
        {events
          .slice(-shown)
          .reverse()
          .map(({ id, at, kind, text, by, outcome }) => (
            <li key={id} data-kind={kind}>
              <time dateTime={new Date(at).toISOString()}>{moment(at, now)}</time>
              <span>
                {text}
                {by !== undefined && <span class="note"> by {by}</span>}
                {outcome !== undefined && outcome !== 'ok' && (
                  <span class="note" data-tone="bad">
                    {' '}
                    {outcome}
                  </span>
                )}
              </span>
            </li>
          ))}
      </ol>
      {events.length > shown && (
        <button type="button" onClick={() => show(shown + shownAtOnce)}>
          Show more
        </button>
      )}
    </section>
  );
}
