import { expect, it } from 'vitest';
import { playSeeds } from './seeds.js';

/** As many as `npm run test:long` asks for. */
const count = Number(process.env.EVENKEEL_TEST_RUNS ?? 10_000);

it('the simulation keeps every invariant under crashes, silences, lost and foreign reports and clocks, from any seed', () => {
  const { failures, text } = playSeeds(1, count);
  process.stdout.write(`${text}\n`);
  expect(failures).toEqual([]);
});
