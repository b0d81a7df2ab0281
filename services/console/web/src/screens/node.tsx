import type { NodeAnswer } from '@evenkeel/protocol';
import { closeCodes } from '@evenkeel/protocol/wire';
import { useDesk } from '../context.js';
import { bytes, clockOff, count, duration, milliseconds, moment, percent, plainName } from '../format.js';
import { useAnswer } from '../live.js';
import { uncordoned } from '../outcomes.js';
import { Connections } from '../parts/connections.js';
import { Counts, Facts } from '../parts/facts.js';
import { State } from '../parts/state.js';
import { go, to } from '../route.js';
import type { Node, Status } from '../types.js';

const everyMs = 2_000;

/** One node: how it is, what it has turned away, and how to empty it. */
export function NodeScreen({ status, name }: { status: Status; name: string }) {
  const { answer, error } = useAnswer<NodeAnswer>(`/api/node/${encodeURIComponent(name)}`, everyMs);
  const node = status.nodes.find((each) => each.node === name) ?? answer?.node;
  if (node === undefined) {
    return (
      <>
        <h1>{name}</h1>
        <p class="lead">{error ?? 'No node of this name has reported.'}</p>
      </>
    );
  }
  return (
    <>
      <div class="title">
        <h1>{name}</h1>
        <State state={node.state} sessions={node.sessions} />
        <Actions node={node} />
      </div>
      {node.reachable === false && (
        <p class="trouble">
          Clients that dial {node.url} do not come to this node: check its public URL and what is in front of
          it.
        </p>
      )}
      {node.drain !== undefined && <p class="lead">{drainText(node)}</p>}
      {answer?.isAnswered === false && (
        <p class="trouble">The node does not answer; this is what its last report says.</p>
      )}
      <section class="card" aria-labelledby="now-title">
        <h2 id="now-title">Now</h2>
        <Room node={node} />
        <Facts facts={factsOf(node)} />
      </section>
      {answer?.amqp !== undefined && (
        <section class="card" aria-labelledby="amqp-title">
          <h2 id="amqp-title">Its connections to RabbitMQ</h2>
          <Connections connections={answer.amqp} />
        </section>
      )}
      <div class="thirds">
        <Counts
          title="Closed connections"
          counts={answer?.closes}
          nameOf={closeName}
          nothing="None since it started."
        />
        <Counts title="Gaps told" counts={answer?.gaps} nothing="None: nobody has missed anything." />
        <Counts title="Turned away" counts={answer?.refused} nothing="No ticket was refused." />
        <Counts title="Moves" counts={answer?.movesByOutcome} nothing="Nobody has moved from here." />
        <Limits title="Limits" values={answer?.limits} />
        <Limits title="Settings" values={answer?.settings} />
      </div>
    </>
  );
}

function Actions({ node }: { node: Node }) {
  const { act, canOperate } = useDesk();
  const { node: name, state, sessions } = node;
  if (!canOperate) return null;
  return (
    <div class="buttons">
      {state !== 'active' && state !== 'joining' && (
        <button
          type="button"
          data-testid="uncordon"
          onClick={() => act({ command: 'uncordon', node: name }, (answer) => uncordoned(name, answer))}
        >
          Uncordon
        </button>
      )}
      {(state === 'active' || state === 'joining') && (
        <button
          type="button"
          data-testid="cordon"
          onClick={() =>
            act({ command: 'cordon', node: name }, () => `${name} takes no more clients; those it has stay.`)
          }
        >
          Cordon
        </button>
      )}
      <button
        type="button"
        class="primary"
        data-testid="drain"
        disabled={sessions === 0 && state !== 'active'}
        onClick={() => go(`${to('plan')}?drain=${encodeURIComponent(name)}`)}
      >
        Drain…
      </button>
    </div>
  );
}

/** How much of its capacity is used. */
function Room({ node: { sessions, capacity = 0 } }: { node: Node }) {
  if (capacity <= 0) return null;
  return (
    <>
      <meter max={capacity} value={sessions} high={capacity * 0.9} aria-label="Sessions of capacity" />
      <p class="lead">
        {count(sessions)} of {count(capacity)} sessions
        <span class="note">
          {' '}
          · {percent(sessions / capacity)} used, room for {count(Math.max(0, capacity - sessions))}
        </span>
      </p>
    </>
  );
}

const optional = <V,>(value: V | undefined, show: (value: V) => string): string | undefined =>
  value === undefined ? undefined : show(value);

/** What only newer edges report is shown if it is there. */
function factsOf(node: Node): readonly (readonly [string, string | undefined])[] {
  const number = (key: string): number | undefined => {
    const value = node[key];
    return typeof value === 'number' ? value : undefined;
  };
  return [
    ['Connections', count(node.connections)],
    ['Sessions without a connection', optional(number('detached'), count)],
    ['Not acknowledged', optional(node.unacked, count)],
    ['Events a second', optional(node.deliveredPerSecond, count)],
    ['Received a second', optional(number('receivedPerSecond'), count)],
    ['Bytes a second', optional(number('bytesPerSecond'), bytes)],
    ['Publish to socket, p99', optional(node.publishToSocketP99Ms, milliseconds)],
    ['Handshake, p99', optional(node.handshakeP99Ms, milliseconds)],
    ['Loop lag, p99', optional(node.loopLagP99Ms, milliseconds)],
    ['CPU', optional(node.cpu, percent)],
    ['Memory', optional(number('rssBytes'), bytes)],
    ['Weight', optional(node.weight, String)],
    ['Pinned sessions', node.pinned ? count(node.pinned) : undefined],
    ['Clock', node.isClockOff ? clockOff(node.clockAheadMs ?? 0) : undefined],
    [
      'Last report',
      optional(node.seenAt, (at) => `${moment(at, Date.now())} (${duration(Date.now() - at)} ago)`),
    ],
    ['Version', node.version],
    ['Address', node.url],
  ];
}

function drainText({ drain, sessions }: Node): string {
  const { state, by = 'auto', why, endsBy } = drain ?? {};
  if (state === 'empty') return `Empty, as ${by} wanted.`;
  if (state === 'stayed')
    return `${count(sessions)} stay: ${why ?? 'nothing more can be done about them now'}.`;
  const until = endsBy === undefined ? '' : ` It ends at ${moment(endsBy, Date.now())} at the latest.`;
  return `Being drained for ${by}: ${count(sessions)} left.${until}`;
}

const reasons = new Map(Object.values(closeCodes).map(({ code, reason }) => [String(code), reason]));
const closeName = (code: string): string => (reasons.has(code) ? `${code} ${reasons.get(code)}` : code);

function Limits({ title, values }: { title: string; values: Readonly<Record<string, unknown>> | undefined }) {
  const rows = Object.entries(values ?? {});
  if (rows.length === 0) return null;
  return (
    <details class="card small">
      <summary>{title}</summary>
      <ul class="counts">
        {rows.map(([name, value]) => (
          <li key={name}>
            <span>{plainName(name)}</span>
            <strong>{typeof value === 'number' ? count(value) : String(value)}</strong>
          </li>
        ))}
      </ul>
    </details>
  );
}
