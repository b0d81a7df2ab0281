import { expect, it } from 'vitest';
import { loseCell } from './lost-cell.js';

it('everybody of a lost cell is back within two minutes of its return, and asks a few times in all', () => {
  const found = loseCell({ sessions: 5_000, edges: 2, downS: 90 }, 1);
  expect(found.allBackS).toBeLessThanOrEqual(120);
  expect(found.requestsPerClient).toBeLessThan(10);
  // They were told when to come back, and are spread.
  expect(found.backPeak).toBeLessThan(1_000);
});
