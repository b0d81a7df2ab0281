import { useEffect, useMemo, useState } from 'preact/hooks';
import { send } from '../api.js';
import { useDesk } from '../context.js';
import { count, counted, duration } from '../format.js';
import { afterOf } from '../overall.js';
import { NodeBars } from '../parts/node-bars.js';
import { Steps } from '../parts/steps.js';
import { go, to } from '../route.js';
import type { Answer, Command, Plan, Status } from '../types.js';

/** What a rebalance, or a drain of these nodes, would do. Nothing happens before it is applied. */
export function PlanScreen({ status, drain }: { status: Status; drain: readonly string[] }) {
  const { act, canOperate } = useDesk();
  const names = drain.join(' ');
  const [{ plan, error }, set] = useState<{ plan?: Plan | null; error?: string }>({});
  const [round, again] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    const nodes = names === '' ? {} : { nodes: names.split(' ') };
    send({ command: 'plan', ...nodes }).then(
      (answer) => isCurrent && set({ plan: answer.plan ?? null }),
      (reason: Error) => isCurrent && set({ error: reason.message }),
    );
    return () => {
      isCurrent = false;
    };
  }, [names, round]);
  const after = useMemo(() => afterOf(plan ?? {}), [plan]);
  const nodes = useMemo(
    () => status.nodes.map((node) => ({ ...node, after: node.sessions + (after.get(node.node) ?? 0) })),
    [status.nodes, after],
  );
  const title = names === '' ? 'Rebalance' : `Drain ${drain.join(', ')}`;
  const apply: Command = names === '' ? { command: 'rebalance' } : { command: 'drain', nodes: [...drain] };
  const isNothing = names === '' && (plan?.total ?? 0) === 0;
  return (
    <>
      <h1>{title}: before you apply it</h1>
      <section class="card" aria-labelledby="preview-title">
        <h2 id="preview-title" class="hidden">
          What it would do
        </h2>
        {plan === undefined && error === undefined && <p class="lead">Asking the balancer…</p>}
        {error !== undefined && (
          <p class="lead" data-tone="bad" role="alert">
            {error}
          </p>
        )}
        {plan !== undefined && <Summary plan={plan} isDrain={names !== ''} />}
        <NodeBars nodes={nodes} scale="fit" />
        {(plan?.total ?? 0) > 0 && (
          <p class="note legend">
            <span class="mark" aria-hidden="true" /> where the plan brings each node
          </p>
        )}
        <div class="buttons">
          {canOperate && (
            <button
              type="button"
              class="primary"
              data-testid="apply"
              disabled={plan === undefined || isNothing}
              onClick={async () => {
                if (await act(apply, (answer) => applied(answer, drain, plan?.total ?? 0))) go(to());
              }}
            >
              Apply
            </button>
          )}
          <button
            type="button"
            onClick={() => {
              set({});
              again((n) => n + 1);
            }}
          >
            Plan again
          </button>
          <a class="button" href={names === '' ? to() : to('node', drain[0] ?? '')}>
            Cancel
          </a>
        </div>
      </section>
      {plan?.moves !== undefined && plan.moves.length > 0 && (
        <section class="card" aria-labelledby="moves-title">
          <h2 id="moves-title">Who goes where</h2>
          <Steps moves={plan.moves} />
        </section>
      )}
    </>
  );
}

/** A drain's plan may begin after its answer: then it is as big as it was foreseen. */
function applied({ plan }: Answer, drain: readonly string[], foreseen: number): string {
  const total = plan?.id ? (plan.total ?? 0) : foreseen;
  const moved = total > 0 ? `${counted(total, 'session')} to move.` : 'Nobody has to move.';
  if (drain.length === 0) return moved;
  return `${drain.join(', ')} ${drain.length === 1 ? 'takes' : 'take'} no more clients. ${moved}`;
}

function Summary({ plan, isDrain }: { plan: Plan | null; isDrain: boolean }) {
  const { total = 0, unplaced = 0, pinned = 0, estimatedMs, why } = plan ?? {};
  const touched = new Set((plan?.moves ?? []).flatMap(({ from, to: target }) => [from, target])).size;
  return (
    <>
      <p class="lead" data-testid="summary">
        {total === 0
          ? isDrain
            ? 'Nobody has to move: it is empty, or nobody can go.'
            : 'All nodes are level: there is nothing to move.'
          : `${counted(total, 'session')} would move between ${counted(touched, 'node')}${timeOf(estimatedMs)}, each once.`}
      </p>
      {unplaced > 0 && (
        <p class="trouble" data-testid="unplaced">
          No node has room for {counted(unplaced, 'session')}
          {byNode(plan?.unplacedByNode)}. Add a node or raise a capacity first, or they stay until there is
          room.
        </p>
      )}
      {pinned > 0 && (
        <p class="note">
          {counted(pinned, 'session')} left out: the load balancer in front keeps them where they are.
        </p>
      )}
      {why !== undefined && why !== '' && <p class="note">Why: {why}</p>}
    </>
  );
}

const timeOf = (ms: number | null | undefined): string =>
  ms === undefined || ms === null ? '' : `, in about ${duration(Math.max(1_000, ms))}`;

function byNode(nodes: Readonly<Record<string, number>> | undefined): string {
  const named = Object.entries(nodes ?? {});
  if (named.length === 0) return '';
  const shown = named.slice(0, 5).map(([node, n]) => `${count(n)} on ${node}`);
  return ` (${shown.join(', ')}${named.length > 5 ? ', …' : ''})`;
}
