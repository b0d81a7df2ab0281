import { useMemo, useState } from 'preact/hooks';
import { count, counted, milliseconds, percent } from '../format.js';
import { isTrouble } from '../overall.js';
import { to } from '../route.js';
import type { Node } from '../types.js';
import { Scroll } from './scroll.js';
import { State } from './state.js';

type Key = 'node' | 'state' | 'sessions' | 'events' | 'p99' | 'cpu' | 'version';

interface Column {
  readonly key: Key;
  readonly title: string;
  readonly value: (node: Node) => number | string;
  readonly isNumber?: true;
}

const columns: readonly Column[] = [
  { key: 'node', title: 'Node', value: ({ node }) => node },
  { key: 'state', title: 'State', value: ({ state }) => state },
  { key: 'sessions', title: 'Sessions', value: ({ sessions }) => sessions, isNumber: true },
  {
    key: 'events',
    title: 'Events/s',
    value: ({ deliveredPerSecond = -1 }) => deliveredPerSecond,
    isNumber: true,
  },
  {
    key: 'p99',
    title: 'p99',
    value: ({ publishToSocketP99Ms = -1 }) => publishToSocketP99Ms,
    isNumber: true,
  },
  { key: 'cpu', title: 'CPU', value: ({ cpu = -1 }) => cpu, isNumber: true },
  { key: 'version', title: 'Version', value: ({ version }) => version },
];

/** Rows at a time: a thousand nodes are found by name or state, and not by scrolling. */
const rowsOnPage = 25;

/** The nodes in figures: what the bars show, for keyboard and screen reader, and more. */
export function NodeTable({ nodes }: { nodes: readonly Node[] }) {
  const [{ key, isDown }, sortBy] = useState<{ key: Key; isDown: boolean }>({ key: 'node', isDown: false });
  const [wanted, search] = useState('');
  const [page, turn] = useState(0);
  const sorted = useMemo(() => arranged(nodes, wanted, key, isDown), [nodes, wanted, key, isDown]);
  const pages = Math.max(1, Math.ceil(sorted.length / rowsOnPage));
  const shown = Math.min(page, pages - 1);
  const from = shown * rowsOnPage;
  return (
    <section class="card" aria-labelledby="nodes-title">
      <div class="card-head">
        <h2 id="nodes-title">Nodes</h2>
        {nodes.length > rowsOnPage / 2 && (
          <input
            type="search"
            aria-label="Find nodes by name, state or version"
            placeholder="Name, state or version"
            value={wanted}
            onInput={({ currentTarget }) => {
              search(currentTarget.value);
              turn(0);
            }}
          />
        )}
      </div>
      <Scroll name="Table of nodes">
        <table class="nodes" aria-rowcount={sorted.length + 1}>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head
                  key={column.key}
                  column={column}
                  order={column.key === key ? (isDown ? 'descending' : 'ascending') : undefined}
                  onSort={() =>
                    sortBy({ key: column.key, isDown: column.key === key ? !isDown : !!column.isNumber })
                  }
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(from, from + rowsOnPage).map((node, i) => (
              <Row key={node.node} node={node} index={from + i + 2} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {sorted.length === 0 && (
        <p class="note">{wanted === '' ? 'No node has reported.' : 'No node matches.'}</p>
      )}
      {pages > 1 && (
        <nav class="pages" aria-label="Pages of nodes">
          <button type="button" disabled={shown === 0} onClick={() => turn(shown - 1)}>
            Previous
          </button>
          <span>
            {count(from + 1)}–{count(Math.min(from + rowsOnPage, sorted.length))} of{' '}
            {counted(sorted.length, 'node')}
          </span>
          <button type="button" disabled={shown === pages - 1} onClick={() => turn(shown + 1)}>
            Next
          </button>
        </nav>
      )}
    </section>
  );
}

function Head(props: { column: Column; order: 'ascending' | 'descending' | undefined; onSort: () => void }) {
  const { column, order, onSort } = props;
  return (
    <th scope="col" aria-sort={order ?? 'none'} class={`c-${column.key}${column.isNumber ? ' number' : ''}`}>
      <button type="button" class="sort" onClick={onSort}>
        {column.title}
        <span aria-hidden="true">{order === undefined ? '' : order === 'ascending' ? ' ↑' : ' ↓'}</span>
      </button>
    </th>
  );
}

function Row({ node, index }: { node: Node; index: number }) {
  const { sessions, capacity = 0, deliveredPerSecond, publishToSocketP99Ms, cpu } = node;
  return (
    <tr
      data-testid={`node-${node.node}`}
      data-state={node.state}
      data-sessions={sessions}
      data-trouble={isTrouble(node)}
      aria-rowindex={index}
    >
      <th scope="row" class="c-node">
        <a href={to('node', node.node)}>{node.node}</a>
      </th>
      <td class="c-state">
        <State state={node.state} sessions={sessions} />
        {noteOf(node) !== undefined && <span class="note">{noteOf(node)}</span>}
      </td>
      <td class="number c-sessions">
        {count(sessions)}
        {capacity > 0 && <span class="note of"> of {count(capacity)}</span>}
      </td>
      <td class="number c-events">{deliveredPerSecond === undefined ? '–' : count(deliveredPerSecond)}</td>
      <td class="number c-p99">
        {publishToSocketP99Ms === undefined ? '–' : milliseconds(publishToSocketP99Ms)}
      </td>
      <td class="number c-cpu">{cpu === undefined ? '–' : percent(cpu)}</td>
      <td class="c-version">{node.version}</td>
    </tr>
  );
}

/** What is wrong with it, or what is being done to it, in a few words. */
function noteOf({ reachable, isClockOff, amqp, drain, pinned = 0, sessions }: Node): string | undefined {
  if (reachable === false) return 'clients do not reach it';
  if (amqp?.isBlocked) return 'blocked by an alarm of RabbitMQ';
  if (amqp?.recovering) return `${counted(amqp.recovering, 'consumer')} recovering`;
  if (isClockOff) return 'its clock is off';
  if (drain?.state === 'stayed') return drain.why ?? 'sessions stay';
  if (drain?.state === 'under-way' && sessions > 0) return `drain by ${drain.by ?? 'auto'}`;
  return pinned > 0 ? `${count(pinned)} pinned` : undefined;
}

const byName = new Intl.Collator('en', { numeric: true });

function arranged(nodes: readonly Node[], wanted: string, key: Key, isDown: boolean): readonly Node[] {
  const word = wanted.trim().toLowerCase();
  const found =
    word === ''
      ? [...nodes]
      : nodes.filter((each) => `${each.node} ${each.state} ${each.version}`.toLowerCase().includes(word));
  const column = columns.find((each) => each.key === key);
  // The list comes by name.
  if (column === undefined || key === 'node') return isDown ? found.reverse() : found;
  return found.sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    const order =
      typeof x === 'number' && typeof y === 'number' ? x - y : byName.compare(String(x), String(y));
    return isDown ? -order : order;
  });
}
