import { it } from 'vitest';
import { startStage, trySeeds } from '../page-life/seeds.js';

it('every event is handled once and in order by some page of its session, or told by a gap: 3 seeds', async () => {
  await trySeeds(await startStage(), { first: 6, count: 3, steps: 10 });
});
