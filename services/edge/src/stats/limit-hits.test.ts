import { expect, it } from 'vitest';
import { edgeConfig } from '../config.js';
import { Load } from '../session/load.js';
import { noCounts } from '../transport/counts.js';
import { limitHits } from './limit-hits.js';

it('each limit that is a setting goes by its name, and each is there before it is met', () => {
  const hits = limitHits({
    counts: noCounts(),
    pending: { refusedFor: { maxPending: 3, maxPendingPerAddress: 0 } },
    users: { refused: 0 },
    load: new Load(),
    life: { crowdedOut: 0, forgotten: 0 },
    happenings: { dropped: 0 },
  });
  expect(Object.fromEntries(hits)).toMatchObject({ maxPending: 3, maxTopics: 0, capacity: 0 });
  const others = hits.map(([limit]) => limit).filter((limit) => !(limit in edgeConfig.shape));
  expect(others).toEqual([
    'memory',
    'usedTickets',
    'refreshes',
    'historiesAsked',
    'dataDepth',
    'idBytes',
    'sessionsAway',
    'happeningsWaiting',
  ]);
});
