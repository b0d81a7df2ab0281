import { useDesk } from '../context.js';
import { count, counted, duration, moment } from '../format.js';
import { go, to } from '../route.js';
import type { Answer, Plan, Status } from '../types.js';
import { planWord } from '../words.js';
import { Confirm } from './confirm.js';
import { Steps } from './steps.js';

/** What runs, or what has run last, and what can be done about it. */
export function PlanPanel({ status }: { status: Status }) {
  const { plan } = status;
  return (
    <section class="card plan" aria-labelledby="plan-title">
      {plan?.id ? <Running plan={plan} /> : <Idle status={status} />}
    </section>
  );
}

function Running({ plan }: { plan: Plan }) {
  const { act, canOperate } = useDesk();
  const { done = 0, total = 0, failed = 0, id } = plan;
  const isPaused = plan.state === 'paused';
  const reason = reasonOf(plan);
  const named = id ? { plan: id } : {};
  return (
    <>
      <div class="card-head">
        <h2 id="plan-title">
          {planWord[plan.kind ?? ''] ?? 'Plan'} by {plan.by ?? 'auto'}
        </h2>
        <span class="chip" data-tone={isPaused ? 'warn' : 'busy'}>
          {plan.state ?? 'running'}
        </span>
      </div>
      <progress max={Math.max(1, total)} value={done} aria-label="Sessions moved" />
      <p class="lead" data-testid="progress">
        {count(done)} of {count(total)} moved
        {failed > 0 && `, ${count(failed)} have left or stay`}
        <span class="note">{etaOf(plan)}</span>
      </p>
      {reason !== undefined && <p class="note">Why: {reason}</p>}
      {canOperate && (
        <div class="buttons">
          {isPaused ? (
            <button
              type="button"
              class="primary"
              data-testid="resume"
              onClick={() => act({ command: 'resume', ...named }, () => 'The plan goes on.')}
            >
              Resume
            </button>
          ) : (
            <button
              type="button"
              data-testid="pause"
              onClick={() =>
                act(
                  { command: 'pause', ...named },
                  () => 'The plan is paused: nobody is moved until it is resumed.',
                )
              }
            >
              Pause
            </button>
          )}
          <button
            type="button"
            class="danger"
            data-testid="abort"
            onClick={() =>
              act(
                { command: 'abort', ...named },
                () => 'Aborted. Moves already sent are followed to their end.',
              )
            }
          >
            Abort
          </button>
        </div>
      )}
      <Steps moves={plan.moves ?? []} isRunning />
    </>
  );
}

/** Whose wish it was stands in the title. */
function reasonOf({ why, reason = why }: Plan): string | undefined {
  return reason?.startsWith('asked for by') ? undefined : reason;
}

function etaOf({ etaMs, ratePerSecond }: Plan): string {
  const rate = ratePerSecond === undefined ? '' : ` · ${count(ratePerSecond)} a second`;
  return etaMs === undefined || etaMs === null
    ? rate
    : ` · about ${duration(Math.max(1_000, etaMs))} to go${rate}`;
}

function Idle({ status }: { status: Status }) {
  const { act, canOperate } = useDesk();
  const last = status.history?.[0];
  const isPaused = status.isPaused === true;
  return (
    <>
      <div class="card-head">
        <h2 id="plan-title">Nothing runs</h2>
        <span class="chip" data-tone={isPaused ? 'warn' : 'good'}>
          {isPaused ? 'paused' : status.mode === 'manual' ? 'manual' : 'automatic'}
        </span>
      </div>
      <p class="lead">{isPaused ? pausedText(status) : modeText(status)}</p>
      {last !== undefined && <LastPlan plan={last} />}
      {canOperate && (
        <div class="buttons">
          <button type="button" class="primary" data-testid="plan" onClick={() => go(to('plan'))}>
            Plan a rebalance
          </button>
          {isPaused ? (
            <button
              type="button"
              data-testid="resume"
              onClick={() => act({ command: 'resume' }, () => 'Rebalancing is on again.')}
            >
              Resume rebalancing
            </button>
          ) : (
            <button
              type="button"
              data-testid="pause"
              onClick={() =>
                act({ command: 'pause' }, () => 'Automatic rebalancing is paused until it is resumed.')
              }
            >
              Pause rebalancing
            </button>
          )}
          {last?.id && (last.done ?? 0) > 0 && (
            <Confirm
              testid="undo"
              question={`Move ${counted(last.done ?? 0, 'session')} back? Rebalancing is paused then, until you resume it.`}
              yes="Undo"
              onYes={() => void act({ command: 'undo', plan: last.id ?? '' }, undone)}
            >
              Undo the last plan
            </Confirm>
          )}
        </div>
      )}
    </>
  );
}

export const undone = ({ plan }: Answer): string =>
  plan?.id
    ? `Moving ${counted(plan.total ?? 0, 'session')} back. Rebalancing is paused until it is resumed.`
    : 'There is nothing to move back. Rebalancing is paused until it is resumed.';

function modeText({ mode, why }: Status): string {
  if (mode === 'manual') return 'Nobody is moved unless an operator says so.';
  return why === undefined || why === ''
    ? 'The balancer moves sessions when nodes are not level.'
    : sentence(why);
}

function pausedText({ pausedBy }: Status): string {
  if (pausedBy === undefined) return 'Automatic rebalancing is paused.';
  const { by, at, why } = pausedBy;
  return `Paused by ${by} since ${moment(at, Date.now())}${why === undefined ? '' : `: ${why}`}.`;
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

function LastPlan({ plan }: { plan: Plan }) {
  const when = plan.endedAt ?? plan.startedAt;
  return (
    <p class="note">
      Last: {(planWord[plan.kind ?? ''] ?? 'Plan').toLowerCase()} by {plan.by ?? 'auto'}
      {when !== undefined && ` at ${moment(when, Date.now())}`}, {resultOf(plan)}.{' '}
      <a href={to('history')}>History</a>
    </p>
  );
}

/** How a plan ended, in a few words. */
export function resultOf({ done = 0, total = 0, state, outcome }: Plan): string {
  const moved = done === total ? `${count(done)} moved` : `${count(done)} of ${count(total)} moved`;
  if (state === 'aborted') return `aborted, ${moved}`;
  return state === 'partial' && outcome !== undefined ? outcome : moved;
}
