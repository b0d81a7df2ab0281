import { expect, it } from 'vitest';
import { runSeeds, startStage, trySeeds } from '../page-life/seeds.js';

const count = Math.min(300, Number(process.env.EVENKEEL_TEST_RUNS ?? 300));

it(`every event is handled once and in order by some page of its session, or told by a gap: ${count} seeds`, async () => {
  await trySeeds(await startStage(), { first: 1_001, count, steps: 14 });
});

it('pages that take no notice of the page cache are caught within 60 seeds', async () => {
  const outcomes = await runSeeds(await startStage('deaf'), {
    first: 1,
    count: Math.min(60, count),
    steps: 10,
  });
  const rules = outcomes.flatMap(({ verdict }) => verdict?.faults.map(({ rule }) => rule) ?? []);
  expect(rules).toContain('claimed');
});
