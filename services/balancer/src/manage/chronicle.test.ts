import { expect, it } from 'vitest';
import { statsOf } from '../../testing/stats.js';
import { ClusterState } from '../core/cluster/state.js';
import { Chronicle } from './chronicle.js';

const ok = { ok: true } as const;

it('writes down commands as they would be typed, with who it was and what came of it', () => {
  const chronicle = new Chronicle(() => 1);
  chronicle.leads('b1', 36);
  chronicle.commanded({ command: 'drain', nodes: ['e1', 'e2'], deadlineMs: 5 }, 'ann', ok);
  chronicle.commanded(
    { command: 'set', name: 'mode', value: null, v: 1, onBehalfOf: 'bob' },
    'bob (console)',
    ok,
  );
  const refused = { ok: false, error: { code: 'no-plan', message: 'no plan is running' } } as const;
  chronicle.commanded({ command: 'abort' }, 'ann', refused);
  expect(chronicle.events.after(undefined).events).toMatchObject([
    { id: '10-1', at: 1, kind: 'leader', text: 'b1 leads' },
    { kind: 'command', text: 'drain e1, e2 deadlineMs 5', by: 'ann', outcome: 'ok' },
    { kind: 'command', text: 'set mode --default', by: 'bob (console)' },
    { kind: 'command', text: 'abort: refused, no plan is running', outcome: 'no-plan' },
  ]);
});

it('looks at nodes twice a second at most, and begins anew with each term', () => {
  const chronicle = new Chronicle(() => 1);
  const view = new ClusterState();
  view.observe(statsOf('e1', 1), 1);
  let looks = 0;
  const nodes = () => {
    looks += 1;
    return view.nodes(2);
  };
  chronicle.leads('b1', 1);
  for (const nowMs of [0, 100, 499]) chronicle.look(nodes, nowMs);
  expect(looks).toBe(1);
  view.observe(statsOf('e2', 1), 1);
  chronicle.look(nodes, 500);
  expect(chronicle.events.after(undefined).events.at(-1)).toMatchObject({
    kind: 'node',
    node: 'e2',
    text: 'e2 has joined',
  });
  chronicle.leads('b1', 2);
  expect(chronicle.events.after(undefined).events).toHaveLength(1);
});
