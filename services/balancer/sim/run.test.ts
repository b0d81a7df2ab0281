import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventKinds, type HistoryEvent } from './history.js';
import { simulate, simulateHistory } from './run.js';
import { scenarioNames } from './scenarios.js';

const event = fc.record({
  kind: fc.constantFrom(...eventKinds),
  which: fc.nat(100),
  afterMs: fc.integer({ min: 100, max: 15_000 }),
}) satisfies fc.Arbitrary<HistoryEvent>;

describe('the simulation', () => {
  it('keeps every invariant and ends level, whatever happens to the nodes', () => {
    const histories = fc.array(event, { maxLength: 12 });
    fc.assert(
      fc.property(histories, fc.integer({ min: 2, max: 8 }), fc.nat(100_000), (events, nodes, seed) => {
        expect(simulateHistory(events, { nodes, sessions: nodes * 1000 }, seed).failures).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it.each<{ what: string; nodes: number; seed: number; events: HistoryEvent[] }>([
    {
      what: 'a draining node that falls silent and reports again',
      nodes: 4,
      seed: 28612,
      events: [
        { kind: 'join', which: 0, afterMs: 7601 },
        { kind: 'drain', which: 12, afterMs: 100 },
        { kind: 'mute', which: 87, afterMs: 8301 },
      ],
    },
    {
      what: 'a node that dies when it alone can take the last of a drain',
      nodes: 4,
      seed: 21342,
      events: [
        { kind: 'drain', which: 0, afterMs: 3301 },
        { kind: 'mute', which: 39, afterMs: 3101 },
        { kind: 'crash', which: 1, afterMs: 100 },
      ],
    },
  ])('ends well with $what', ({ nodes, seed, events }) => {
    expect(simulateHistory(events, { nodes, sessions: nodes * 1000 }, seed).failures).toEqual([]);
  });

  it.each(scenarioNames)('%s keeps every invariant and its promises, from any seed', (name) => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), fc.integer({ min: 0, max: 100_000 }), (nodes, seed) => {
        const sizes = { nodes, sessions: nodes * 1000 };
        expect(simulate(name, sizes, seed, () => 0).failures).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  it.each(scenarioNames)('%s gives the same result from the same seed', (name) => {
    const sizes = { nodes: 8, sessions: 4000 };
    const first = simulate(name, sizes, 7, () => 0);
    expect(simulate(name, sizes, 7, () => 0)).toEqual(first);
  });
});
