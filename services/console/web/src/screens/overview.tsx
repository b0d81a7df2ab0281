import { useState } from 'preact/hooks';
import type { Scale } from '../bars/layout.js';
import { useDesk } from '../context.js';
import { counted, milliseconds, percent, shortCount } from '../format.js';
import type { Line } from '../live.js';
import { sentenceOf, toneOf } from '../overall.js';
import { NodeBars } from '../parts/node-bars.js';
import { NodeTable } from '../parts/node-table.js';
import { PlanPanel } from '../parts/plan-panel.js';
import { Spark } from '../parts/spark.js';
import type { Status } from '../types.js';

/** The first screen: what is, what runs, what is wrong, and the buttons for it. */
export function Overview({ status }: { status: Status }) {
  const [scale, setScale] = useState<Scale>('fit');
  const { nodes } = status;
  const capacity = nodes.reduce((sum, node) => sum + (node.capacity ?? 0), 0);
  const { sessions, events, p99, gaps } = numbersOf(status);
  return (
    <>
      <h1 class="sentence" data-tone={toneOf(status)} data-testid="sentence">
        {sentenceOf(status)}
      </h1>
      <dl class="tiles">
        <Tile
          name="Sessions"
          id="sessions"
          line="sessions"
          value={shortCount(sessions)}
          note={
            capacity > 0
              ? `${percent(sessions / capacity)} of capacity`
              : `on ${counted(nodes.length, 'node')}`
          }
        />
        <Tile
          name="Events a second"
          id="events"
          line="events"
          value={events === undefined ? '–' : shortCount(Math.round(events))}
          note="to clients"
        />
        <Tile
          name="Publish to socket"
          id="p99"
          line="p99"
          value={p99 === undefined ? '–' : milliseconds(p99)}
          note={p99 === undefined ? 'p99; nothing measured yet' : 'p99, slowest node'}
        />
        <Tile
          name="Gaps"
          id="gaps"
          line="gaps"
          value={gaps === undefined ? '–' : shortCount(gaps)}
          tone={gaps === undefined ? undefined : gaps === 0 ? 'good' : 'warn'}
          note="in the last hour"
        />
      </dl>
      <div class="columns">
        <section class="card" aria-labelledby="load-title">
          <div class="card-head">
            <h2 id="load-title">{loadTitle(status)}</h2>
            <fieldset class="switch">
              <legend class="hidden">Scale of the bars</legend>
              <Choice name="scale" value="fit" now={scale} onChoose={setScale}>
                By sessions
              </Choice>
              <Choice name="scale" value="capacity" now={scale} onChoose={setScale}>
                Against capacity
              </Choice>
            </fieldset>
          </div>
          <NodeBars nodes={nodes} scale={scale} />
        </section>
        <PlanPanel status={status} />
      </div>
      <NodeTable nodes={nodes} />
    </>
  );
}

/** A difference of sessions that nobody would move a client for. */
const levelWithin = 5;

function numbersOf({ totals, nodes }: Status) {
  return {
    sessions: totals?.sessions ?? nodes.reduce((sum, node) => sum + node.sessions, 0),
    events: totals?.eventsPerSecond,
    p99: totals?.publishToSocketP99Ms,
    gaps: totals?.gapsLastHour,
  };
}

function loadTitle({ nodes, level }: Status): string {
  const title = counted(nodes.length, 'node');
  const takers = nodes.filter(({ state }) => state === 'active');
  if (level === undefined || takers.length < 2) return title;
  const above = level.maxOverMean - 1;
  const mean = takers.reduce((sum, { sessions }) => sum + sessions, 0) / takers.length;
  const isLevel = above <= 0.01 || above * mean <= levelWithin;
  return isLevel ? `${title}, level` : `${title}, fullest ${percent(above)} above the mean`;
}

function Tile(props: {
  name: string;
  id: Line;
  line: Line;
  value: string;
  note: string;
  tone?: string | undefined;
}) {
  const { live } = useDesk();
  return (
    <div class="tile">
      <dt>{props.name}</dt>
      <dd>
        <span class="value" data-testid={props.id} data-tone={props.tone}>
          {props.value}
        </span>
        <span class="note">{props.note}</span>
        <Spark points={live.lines.of(props.line)} version={live.statusMs ?? 0} />
      </dd>
    </div>
  );
}

function Choice<V extends string>(props: {
  name: string;
  value: V;
  now: V;
  onChoose: (value: V) => void;
  children: string;
}) {
  const { name, value, now, onChoose, children } = props;
  return (
    <label>
      <input
        type="radio"
        name={name}
        value={value}
        checked={now === value}
        onChange={() => onChoose(value)}
      />
      <span>{children}</span>
    </label>
  );
}
