import { expect, it } from 'vitest';
import { statsOf } from '../../testing/stats.js';
import { ClusterState } from './cluster/state.js';
import { NodeSetting } from './node-settings.js';

const ann = { by: 'ann', at: 1 };

function viewOf(live: { weight?: number; capacity?: number } | undefined) {
  const view = new ClusterState();
  for (const seq of [1, 2]) view.observe(statsOf('e1', seq, live === undefined ? {} : { live }), seq);
  return view.nodes(2);
}

function told(settings: NodeSetting, live: { weight?: number; capacity?: number } | undefined, nowMs = 2) {
  const sent: object[] = [];
  settings.keep(viewOf(live), (_node, command) => sent.push(command), nowMs);
  return sent;
}

it('a node is told what is set of it until it reports so, and again when its process is another', () => {
  const settings = new NodeSetting();
  expect(told(settings, {})).toEqual([]);
  settings.set('e1', 'weight', 2, ann);
  expect(told(settings, {})).toEqual([{ command: 'set', weight: 2 }]);
  expect(told(settings, {}, 1_000)).toEqual([]);
  expect(told(settings, {}, 3_000)).toEqual([{ command: 'set', weight: 2 }]);
  expect(told(settings, { weight: 2 }, 9_000)).toEqual([]);
});

it('a node whose setting is taken back is told so', () => {
  const settings = new NodeSetting();
  settings.set('e1', 'weight', 2, ann);
  settings.set('e1', 'capacity', 10, ann);
  settings.set('e1', 'weight', undefined, ann);
  expect(told(settings, { weight: 2, capacity: 10 })).toEqual([{ command: 'set', capacity: 10 }]);
  settings.set('e1', 'capacity', undefined, ann);
  expect(settings.wishes.size).toBe(0);
  expect(told(settings, { capacity: 10 }, 9_000)).toEqual([{ command: 'set' }]);
});

it('a node of before, which takes none, is told nothing', () => {
  const settings = new NodeSetting();
  settings.set('e1', 'weight', 2, ann);
  expect(told(settings, undefined)).toEqual([]);
});

it('settings of 5,000 nodes are kept, the oldest is forgotten first', () => {
  const settings = new NodeSetting();
  for (let n = 0; n <= 5_000; n += 1) settings.set(`e${n}`, 'weight', 2, ann);
  expect([settings.wishes.size, settings.wishes.has('e0'), settings.wishes.has('e1')]).toEqual([
    5_000,
    false,
    true,
  ]);
});
