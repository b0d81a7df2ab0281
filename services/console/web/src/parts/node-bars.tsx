import { useEffect, useRef, useState } from 'preact/hooks';
import { Bars } from '../bars/bars.js';
import { type BarNode, levelOf, maxTanks, type Scale } from '../bars/layout.js';
import { count, counted, percent } from '../format.js';
import { go, to } from '../route.js';
import { onTheme } from '../theme.js';
import { stateWord } from '../words.js';

/** The nodes as bars. Everything it shows stands in the table of nodes too, which is what keyboard and screen reader use. */
export function NodeBars({ nodes, scale }: { nodes: readonly BarNode[]; scale: Scale }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const bars = useRef<Bars | undefined>(undefined);
  const [pointed, point] = useState<string>();
  useEffect(() => {
    if (canvas.current === null) return;
    const drawn = new Bars(canvas.current, { onPick: (node) => go(to('node', node)), onPoint: point });
    bars.current = drawn;
    const end = onTheme(() => drawn.recolour());
    return () => {
      end();
      drawn.close();
    };
  }, []);
  useEffect(() => bars.current?.show(nodes, scale), [nodes, scale]);
  const node = nodes.find((each) => each.node === pointed);
  return (
    <figure class="bars">
      <div class="bars-stage" role="img" aria-label={summary(nodes)}>
        <canvas ref={canvas} />
      </div>
      {nodes.length > maxTanks && (
        <figcaption class="note tip" aria-hidden="true">
          {node === undefined ? 'Point at a bar for its node; click to open it.' : tipOf(node)}
        </figcaption>
      )}
    </figure>
  );
}

function summary(nodes: readonly BarNode[]): string {
  const counts = nodes.filter(({ state }) => state === 'active').map(({ sessions }) => sessions);
  if (counts.length === 0) return `${counted(nodes.length, 'node')}, none takes sessions`;
  const level = levelOf(nodes);
  return (
    `${counted(nodes.length, 'node')}; the ${count(counts.length)} active have ` +
    `${count(Math.min(...counts))} to ${count(Math.max(...counts))} sessions` +
    (level === undefined ? '' : `, level would be ${count(Math.round(level))}`)
  );
}

function tipOf({ node, sessions, capacity, state, after }: BarNode): string {
  const of = capacity ? ` of ${count(capacity)} (${percent(sessions / capacity)})` : '';
  const planned = after === undefined || after === sessions ? '' : `, ${count(after)} after the plan`;
  return `${node}: ${counted(sessions, 'session')}${of}, ${stateWord(state, sessions)}${planned}`;
}
