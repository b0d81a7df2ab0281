import { expect, it } from 'vitest';
import { TurnedAway } from './turned-away.js';

function turnedAway() {
  const lines: object[] = [];
  const write = (fields: object, msg: string) => void lines.push({ ...fields, msg });
  const nodes = [
    { state: 'draining' },
    { state: 'cordoned', reachable: false },
    { state: 'cordoned', reachable: true },
  ] as const;
  return { made: new TurnedAway(() => nodes, { info: write, warn: write }), lines };
}

it('says once in ten seconds how many clients are turned away, and what the edges are in', () => {
  const { made, lines } = turnedAway();
  for (let n = 0; n < 1_000; n += 1) made.refused('none', n);
  expect(lines).toMatchObject([{ clients: 1, edges: { draining: 1, unreachable: 1, cordoned: 1 } }]);
  made.refused('full', 10_000);
  expect(lines[1]).toMatchObject({ clients: 1_000, msg: 'clients turned away: every edge is at capacity' });
});

it('says that clients are placed again once a line, however often that changes', () => {
  const { made, lines } = turnedAway();
  made.placed();
  for (let n = 0; n < 100; n += 1) {
    made.refused('full', n);
    made.placed();
  }
  expect(lines).toMatchObject([
    { msg: 'clients turned away: every edge is at capacity' },
    { msg: 'clients are placed again' },
  ]);
});

it('says nothing of clients that only wait for their slot', () => {
  const { made, lines } = turnedAway();
  made.refused('wait', 0);
  made.placed();
  expect(lines).toEqual([]);
});
