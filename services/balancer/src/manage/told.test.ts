import { expect, it } from 'vitest';
import type { NodeView } from '../core/cluster/state.js';
import { Told } from './told.js';

const node = (phase: string, boot = 'b1') => ({ node: 'e1', phase, stats: { boot } }) as NodeView;

it('believes what a node was told before what an older report of it says, for 5 s', () => {
  const told = new Told();
  expect(told.isCordoned(node('cordoned'), 0)).toBe(true);
  told.note(node('active'), 'cordon', 0);
  told.note(node('active'), 'uncordon', 10);
  // This report was made between the two.
  expect(told.isCordoned(node('cordoned'), 20)).toBe(false);
  expect(told.isCordoned(node('cordoned', 'b2'), 20)).toBe(true);
  expect(told.isCordoned(node('cordoned'), 5_011)).toBe(true);
});
