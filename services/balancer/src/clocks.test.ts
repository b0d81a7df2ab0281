import { expect, it } from 'vitest';
import { withClock } from './clocks.js';

const clocks = { ticketsAheadMs: (node: string) => ({ a: -40_000, b: 2_000 })[node] ?? 0 };
const to = (node: string) => ({ command: 'reconnect' as const, move: 'm', to: { node, url: 'ws://x/' } });

it('an edge is told how far the clock of the target is ahead of its own, where that matters', () => {
  expect(withClock('a', to('b'), clocks)).toMatchObject({ to: { node: 'b', clockAheadMs: 42_000 } });
  expect(withClock('b', to('a'), clocks)).toMatchObject({ to: { node: 'a', clockAheadMs: -42_000 } });
  expect(withClock('c', to('d'), clocks)).toEqual(to('d'));
});
